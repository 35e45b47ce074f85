/**
 * Lines of a terminal that are drawn again and again in place, with what is logged meanwhile above them; in a log a line now and
 * then.
 *
 * It knows nothing of jobs: what is shown is `LiveView`'s.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Stdio from "effect/Stdio"

import type { Saying } from "./Terminal.ts"
import * as Terminal from "./Terminal.ts"

/**
 * What is shown at one moment.
 *
 * @category models
 * @since 0.1.0
 */
export interface View {
  /** On a terminal. */
  readonly lines: ReadonlyArray<string>
  /** In a log. */
  readonly line: Saying
}

/** Drawn so often on a terminal, written so often into a log, in milliseconds. */
const drawMillis = 200
const logMillis = 5000

/** A terminal that can be drawn over. */
const isDrawable = Effect.flatMap(Stdio.Stdio, (stdio) =>
  Effect.zipWith(
    stdio.stderrIsTerminal,
    Effect.orElseSucceed(Config.String("TERM"), () => ""),
    (isTerminal, name) => isTerminal && name !== "dumb"
  )
)

/**
 * Whether colours are wanted on standard error: on a terminal, unless `NO_COLOR` is set (https://no-color.org).
 *
 * @category getters
 * @since 0.1.0
 */
export const hasColour: Effect.Effect<boolean, never, Stdio.Stdio> = Effect.zipWith(
  isDrawable,
  Effect.orElseSucceed(Config.String("NO_COLOR"), () => ""),
  (drawable, noColour) => drawable && noColour === ""
)

/** What was logged and is not shown yet; nothing is kept where nothing is drawn. */
const Logged = Context.Reference<Array<string>>("infermesh/Screen/Logged", {
  defaultValue: () => []
})

/** Lines that were drawn, and what was logged since. */
class Drawing {
  readonly #logged: Array<string>
  #height = 0

  constructor(logged: Array<string>) {
    this.#logged = logged
  }

  /** The text that puts lines in the place of those before. */
  draw(lines: ReadonlyArray<string>): string {
    const text = this.erase()
    this.#height = lines.length
    // Lines that wrap could not be drawn over: what does not fit is cut off.
    return `${text}\u001B[?7l${lines.join("\n")}\u001B[?7h`
  }

  erase(): string {
    const above = this.#logged.splice(0).map((line) => `${line}\n`)
    const text = this.#toTop() + above.join("")
    this.#height = 0
    return text
  }

  #toTop(): string {
    if (this.#height === 0) return ""
    const up = this.#height - 1
    return `\r${up === 0 ? "" : `\u001B[${up}A`}\u001B[J`
  }
}

/**
 * Keeps what an effect logs until there is a place for it above the view; without a terminal it goes where it always goes.
 *
 * @category output
 * @since 0.1.0
 */
export const keepingLogs = <A, E, R>(
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Stdio.Stdio> =>
  Effect.gen(function* () {
    if (!(yield* isDrawable) || (yield* Terminal.SaysJson)) return yield* work
    const lines: Array<string> = []
    const logger = Logger.map(Logger.formatLogFmt, (line) => void lines.push(line))
    return yield* work.pipe(
      Effect.provideService(Logger.CurrentLoggers, new Set([logger])),
      Effect.provideService(Logged, lines),
      Effect.ensuring(Effect.suspend(() => Terminal.put(new Drawing(lines).erase())))
    )
  })

/**
 * Shows a view while an effect runs, and takes it away at its end.
 *
 * @category output
 * @since 0.1.0
 */
export const withView = <A, E, R, R2>(
  work: Effect.Effect<A, E, R>,
  view: (elapsedMillis: number) => Effect.Effect<View, never, R2>,
  /** Whether the terminal is nobody else's: a program that reads our rows may write there, too. */
  isAlone = true
): Effect.Effect<A, E, R | R2 | Stdio.Stdio> =>
  Effect.scoped(
    Effect.gen(function* () {
      const onTerminal = isAlone && (yield* isDrawable) && !(yield* Terminal.SaysJson)
      const logged = yield* Logged
      const drawing = new Drawing(logged)
      const started = yield* Clock.currentTimeMillis
      const show = Effect.gen(function* () {
        const { line, lines } = yield* view((yield* Clock.currentTimeMillis) - started)
        yield* onTerminal ? Terminal.put(drawing.draw(lines)) : Terminal.say(line)
      })
      const every = onTerminal ? drawMillis : logMillis
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep(every), show)))
      return yield* onTerminal
        ? Effect.ensuring(
            work,
            Effect.suspend(() => Terminal.put(drawing.erase()))
          )
        : work
    })
  )
