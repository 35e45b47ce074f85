import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Fiber, FileSystem, Layer, Stream } from "effect"
import * as PlatformError from "effect/PlatformError"

import * as TestClient from "../TestClient.ts"

/** Files of four bytes, and the paths that were looked at and opened, in order. */
const files = (log: Array<string>) =>
  FileSystem.layerNoop({
    stat: (path) => {
      log.push(`look ${path}`)
      return path.startsWith("missing")
        ? Effect.fail(
            PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "stat" })
          )
        : Effect.succeed({ type: "File", size: 4n } as unknown as FileSystem.File.Info)
    },
    stream: (path) =>
      Stream.suspend(() => {
        log.push(`open ${path}`)
        return Stream.make(new Uint8Array(4))
      })
  })

const named: TestProvider.TestProviderOptions = {
  transcribe: ({ request }) => request.audio.fileName
}

const layer = (log: Array<string> = [], provider = named) =>
  Layer.provide(TestClient.layer({}, provider), files(log))

describe("transcribeBatch", () => {
  it.effect("gives one transcript or failure per input, at its position", () =>
    Effect.gen(function* () {
      const batch = yield* Inference.transcribeBatch([
        "a.wav",
        "missing.wav",
        new Uint8Array(3),
        new Uint8Array(0)
      ])
      assert.deepStrictEqual(
        batch.successes.map(([index, { text }]) => [index, text]),
        [
          [0, "a.wav"],
          [2, "audio.wav"]
        ]
      )
      assert.deepStrictEqual(
        batch.failures.map(([index, { message }]) => [index, message]),
        [
          [1, "transcribe failed: missing.wav: there is no such file"],
          [3, "transcribe failed: audio: the audio is empty"]
        ]
      )
    }).pipe(Effect.provide(layer()))
  )

  it.effect("opens a file only when its turn comes", () => {
    const log: Array<string> = []
    return Effect.gen(function* () {
      const control = yield* TestProvider.TestProvider
      yield* control.close
      const fiber = yield* Effect.forkChild(
        Inference.transcribeBatch(["first.wav", "second.wav"], { concurrency: 1 })
      )
      while ((yield* control.inFlight).now === 0) yield* Effect.yieldNow
      assert.deepStrictEqual(log, ["look first.wav"])
      yield* control.open
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(log, [
        "look first.wav",
        "open first.wav",
        "look second.wav",
        "open second.wav"
      ])
    }).pipe(Effect.provide(layer(log)))
  })

  it.effect("with mode failFast fails with the first failure and opens nothing more", () => {
    const log: Array<string> = []
    return Effect.gen(function* () {
      const error = yield* Effect.flip(
        Inference.transcribeBatch(["missing.wav", "b.wav"], { mode: "failFast", concurrency: 1 })
      )
      assert.match(error.message, /missing\.wav: there is no such file/)
      assert.deepStrictEqual(log, ["look missing.wav"])
    }).pipe(Effect.provide(layer(log)))
  })

  it.effect("gives each input the batch's options, and tells of each", () =>
    Effect.gen(function* () {
      const seen: Array<number> = []
      const batch = yield* Inference.transcribeBatch(["a.wav", "b.wav"], {
        language: "de",
        onItem: ({ index }) => Effect.sync(() => seen.push(index))
      })
      assert.deepStrictEqual(
        batch.successes.map(([, { language }]) => language),
        ["de", "de"]
      )
      assert.deepStrictEqual(seen, [0, 1])
    }).pipe(Effect.provide(layer()))
  )

  it.effect("refuses one path where a list is asked for", () =>
    Effect.gen(function* () {
      const one: unknown = "a.wav"
      const error = yield* Effect.flip(Inference.transcribeBatch(one as ReadonlyArray<string>))
      assert.match(error.message, /inputs: a batch takes a list of inputs, not one string/)
    }).pipe(Effect.provide(layer()))
  )
})

describe("transcribeBatchStream", () => {
  it.effect("takes from an endless iterable only what is under way", () => {
    const log: Array<string> = []
    return Effect.gen(function* () {
      let made = 0
      const endless = {
        *[Symbol.iterator]() {
          for (;;) yield `${made++}.wav`
        }
      }
      const settled = yield* Inference.transcribeBatchStream(endless, {
        concurrency: 2,
        ordered: true
      }).pipe(Stream.take(100), Stream.runCollect)
      assert.deepStrictEqual(
        settled.map(({ index }) => index),
        Array.from({ length: 100 }, (_, index) => index)
      )
      assert.isAtMost(log.filter((line) => line.startsWith("look")).length, 100 + 4)
    }).pipe(Effect.provide(layer(log)))
  })
})
