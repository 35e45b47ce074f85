/**
 * What the command shows people: lines on standard error, and one line that is redrawn where there is a terminal.
 *
 * Standard output is for data alone.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/**
 * Writes a line to standard error; that it cannot be written is nobody's failure.
 *
 * @category output
 * @since 0.1.0
 */
export const say = (text: string): Effect.Effect<void, never, Stdio.Stdio> => put(`${text}\n`)

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

const put = (text: string): Effect.Effect<void, never, Stdio.Stdio> =>
  Effect.flatMap(Stdio.Stdio, (stdio) =>
    Effect.ignore(Stream.run(Stream.succeed(text), stdio.stderr({ endOnDone: false })))
  )

/** Redrawn so often on a terminal, written so often into a log, in milliseconds. */
const redrawMillis = 200
const logMillis = 5000

const clearLine = "\r\u001B[2K"

/** Draws over the line; what does not fit is cut off, because a line that wraps cannot be drawn over. */
const redraw = (text: string) => `${clearLine}\u001B[?7l${text}\u001B[?7h`

/** A terminal that can draw over a line. */
const isDrawable = Effect.flatMap(Stdio.Stdio, (stdio) =>
  Effect.zipWith(
    stdio.stderrIsTerminal,
    Effect.orElseSucceed(Config.String("TERM"), () => ""),
    (isTerminal, name) => isTerminal && name !== "dumb"
  )
)

/**
 * Shows a line while an effect runs: redrawn in place on a terminal, else written anew every few seconds.
 *
 * @category output
 * @since 0.1.0
 */
export const withProgress = <A, E, R>(
  work: Effect.Effect<A, E, R>,
  line: (elapsedMillis: number) => Effect.Effect<string>
): Effect.Effect<A, E, R | Stdio.Stdio> =>
  Effect.scoped(
    Effect.gen(function* () {
      const onTerminal = yield* isDrawable
      const started = yield* Clock.currentTimeMillis
      const show = Effect.flatMap(Clock.currentTimeMillis, (now) =>
        Effect.flatMap(line(now - started), (text) => put(onTerminal ? redraw(text) : `${text}\n`))
      )
      const every = onTerminal ? redrawMillis : logMillis
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(every), show)))
      return yield* onTerminal ? Effect.ensuring(work, put(clearLine)) : work
    })
  )
