/**
 * What the command says to people: lines on standard error. Standard output is for data alone.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/**
 * Whether what is said is JSON, an object a line, as `--json` asks.
 *
 * @category references
 * @since 0.1.0
 */
export const SaysJson = Context.Reference<boolean>("infermesh/Terminal/SaysJson", {
  defaultValue: () => false
})

/**
 * Something to say: for people a text, for programs an object with a `type`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Saying {
  readonly text: string
  readonly type: string
  readonly data?: { readonly [key: string]: unknown } | undefined
}

/**
 * Says something on standard error; that it cannot be written is nobody's failure.
 *
 * @category output
 * @since 0.1.0
 */
export const say = (saying: string | Saying): Effect.Effect<void, never, Stdio.Stdio> =>
  Effect.gen(function* () {
    const { data, text, type } =
      typeof saying === "string" ? { text: saying, type: "message", data: undefined } : saying
    if (!(yield* SaysJson)) return yield* put(`${text}\n`)
    const time = yield* Effect.map(DateTime.now, DateTime.formatIso)
    const words = data === undefined ? { message: text } : data
    yield* put(`${JSON.stringify({ time, type, ...words })}\n`)
  })

/**
 * Shows what was asked for, on standard output: the text, or with `--json` the object alone.
 *
 * @category output
 * @since 0.1.0
 */
export const show = ({ data, text }: Saying): Effect.Effect<void, never, Stdio.Stdio> =>
  Effect.flatMap(SaysJson, (saysJson) => print(saysJson ? JSON.stringify(data) : text))

/**
 * Writes a line to standard output; a reader that has closed it is nobody's failure.
 *
 * @category output
 * @since 0.1.0
 */
export const print = (text: string): Effect.Effect<void, never, Stdio.Stdio> =>
  Effect.flatMap(Stdio.Stdio, (stdio) =>
    Effect.ignore(Stream.run(Stream.succeed(`${text}\n`), stdio.stdout({ endOnDone: false })))
  )

/**
 * Writes text as it is to standard error.
 *
 * @category output
 * @since 0.1.0
 */
export const put = (text: string): Effect.Effect<void, never, Stdio.Stdio> =>
  Effect.flatMap(Stdio.Stdio, (stdio) =>
    Effect.ignore(Stream.run(Stream.succeed(text), stdio.stderr({ endOnDone: false })))
  )
