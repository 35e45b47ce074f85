import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Deferred, Effect, Fiber, Layer, Sink, Stdio } from "effect"
import { TestClock } from "effect/testing"
import * as Screen from "infermesh/Screen"
import * as Terminal from "infermesh/Terminal"

/** Standard error that is kept, on a terminal or not. */
const stderr = (isTerminal: boolean, environment: Record<string, string> = { TERM: "xterm" }) => {
  const written = { text: "" }
  const layer = Layer.mergeAll(
    Stdio.layerTest({
      stderrIsTerminal: Effect.succeed(isTerminal),
      stderr: () =>
        Sink.forEach((piece: string | Uint8Array) =>
          Effect.sync(() => {
            written.text += String(piece)
          })
        )
    }),
    ConfigProvider.layer(ConfigProvider.fromEnvRecord(environment))
  )
  return { written, layer }
}

const view = (elapsedMillis: number) =>
  Effect.succeed({
    lines: ["first", `${elapsedMillis} ms`],
    line: { text: `at ${elapsedMillis}`, type: "progress", data: { elapsed: elapsedMillis } }
  })

/** Shows the view for a second, in which something is logged, and six seconds in all. */
const shown = Effect.gen(function* () {
  const logs = yield* Deferred.make<void>()
  const end = yield* Deferred.make<void>()
  const work = Effect.gen(function* () {
    yield* Deferred.await(logs)
    yield* Effect.logWarning("mind the gap")
    yield* Deferred.await(end)
  })
  const fiber = yield* Effect.forkChild(Screen.keepingLogs(Screen.withView(work, view)))
  yield* TestClock.adjust(400)
  yield* Deferred.succeed(logs, undefined)
  yield* TestClock.adjust(200)
  yield* TestClock.adjust(5400)
  yield* Deferred.succeed(end, undefined)
  yield* Fiber.join(fiber)
})

describe("withView", () => {
  it.effect(
    "draws over itself on a terminal, what is logged above it, and is gone at the end",
    () =>
      Effect.gen(function* () {
        const { layer, written } = stderr(true)
        yield* Effect.provide(shown, layer)
        const draws = written.text.split("\r\u001B[1A\u001B[J")
        assert.strictEqual(draws[0], "\u001B[?7lfirst\n200 ms\u001B[?7h")
        assert.strictEqual(draws[1], "\u001B[?7lfirst\n400 ms\u001B[?7h")
        assert.match(
          draws[2] ?? "",
          // oxlint-disable-next-line no-control-regex -- what is drawn
          /^timestamp=.*mind the gap.*\n\u001B\[\?7lfirst\n600 ms\u001B\[\?7h$/
        )
        assert.strictEqual(draws.at(-1), "")
        assert.lengthOf(draws, 31)
      })
  )

  it.effect("is a line every five seconds where there is no terminal, or JSON when asked", () =>
    Effect.gen(function* () {
      const log = stderr(false)
      yield* Effect.provide(shown, log.layer)
      assert.strictEqual(log.written.text, "at 5000\n")
      const dumb = stderr(true, { TERM: "dumb" })
      yield* Effect.provide(shown, dumb.layer)
      assert.strictEqual(dumb.written.text, "at 5000\n")
      const shared = stderr(true)
      const fiber = yield* Effect.forkChild(
        Effect.provide(Screen.withView(Effect.never, view, false), shared.layer)
      )
      yield* TestClock.adjust(5000)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(shared.written.text, "at 5000\n")
      const json = stderr(true)
      yield* shown.pipe(Effect.provideService(Terminal.SaysJson, true), Effect.provide(json.layer))
      const { time, ...said } = JSON.parse(json.written.text)
      assert.deepStrictEqual(said, { type: "progress", elapsed: 5000 })
      assert.isString(time)
    })
  )

  it.effect("has colours on terminals, but not with NO_COLOR", () =>
    Effect.gen(function* () {
      const has = (isTerminal: boolean, environment: Record<string, string>) =>
        Effect.provide(Screen.hasColour, stderr(isTerminal, environment).layer)
      assert.isTrue(yield* has(true, { TERM: "xterm" }))
      assert.isTrue(yield* has(true, { TERM: "xterm", NO_COLOR: "" }))
      assert.isFalse(yield* has(true, { TERM: "xterm", NO_COLOR: "1" }))
      assert.isFalse(yield* has(false, { TERM: "xterm" }))
    })
  )
})
