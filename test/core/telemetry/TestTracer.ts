import { Cause, Effect, Exit, Option, Tracer } from "effect"

/** A tracer that keeps every span that was begun. */
export const make = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, tracer }
}

/** Runs an effect and gives the spans that it made. */
export const spansOf = <A, E, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<ReadonlyArray<Tracer.NativeSpan>, never, R> =>
  Effect.suspend(() => {
    const { spans, tracer } = make()
    return Effect.as(Effect.exit(Effect.provideService(self, Tracer.Tracer, tracer)), spans)
  })

/** The one span of an effect that makes only one. */
export const spanOf = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.map(spansOf(self), (spans) => {
    const [only, ...others] = spans
    if (only === undefined || others.length > 0) throw new Error(`${spans.length} spans, not one`)
    return only
  })

export const attributesOf = (span: Tracer.Span): Record<string, unknown> =>
  Object.fromEntries(span.attributes)

/** The events of a span: name and attributes. */
export const eventsOf = (span: Tracer.NativeSpan) =>
  span.events.map(([name, , attributes]) => ({ name, attributes }))

/** The message that exporters write for a span's failure; `undefined` when it did not fail. */
export const failureOf = ({ status }: Tracer.Span): string | undefined =>
  status._tag === "Ended" && Exit.isFailure(status.exit)
    ? Cause.prettyErrors(status.exit.cause)
        .map(({ message, name, stack }) => `${name}: ${message}\n${stack ?? ""}`)
        .join("\n")
    : undefined

/** Everything that an exporter could write of a span. */
export const textOf = (span: Tracer.NativeSpan): string =>
  JSON.stringify([
    span.name,
    attributesOf(span),
    eventsOf(span),
    failureOf(span),
    Option.isSome(span.parent)
  ])
