import { assert, describe, it } from "@effect/vitest"
import type { AttemptError, Connection, Provider } from "@infermesh/core/provider/Provider"
import * as Anthropic from "@infermesh/providers/anthropic/Anthropic"
import * as Gemini from "@infermesh/providers/gemini/Gemini"
import { openai, provider } from "@infermesh/providers/openai/OpenAi"
import { deepSeek } from "@infermesh/providers/vendor/DeepSeek"
import { groq } from "@infermesh/providers/vendor/Groq"
import { Effect, Result, Stream } from "effect"
import { HttpClient } from "effect/http"
import * as fc from "fast-check"

import { fakeHttp, target } from "./FakeHttp.ts"
import { request } from "./Request.ts"
import { files, read, why } from "./Wire.ts"

type Ask = (connection: Connection) => Effect.Effect<unknown, AttemptError> | undefined

const generate =
  (endpoint: "chat_completion" | "text_completion" | "responses"): Ask =>
  (connection) =>
    connection.generate?.(request({ endpoint }))

const embed: Ask = (connection) => connection.embed?.({ texts: ["a", "b"], options: {} })

const transcribe: Ask = (connection) =>
  connection.transcribe?.({
    audio: {
      bytes: Stream.make(new Uint8Array(1)),
      fileName: "a.wav",
      mediaType: "audio/wav",
      sizeBytes: 1
    },
    options: {}
  })

type Made = Effect.Effect<Provider, never, HttpClient.HttpClient>

/** Who reads the whole bodies of a folder, and what was asked. */
const readers: ReadonlyArray<readonly [folder: string, made: Made, ask: Ask]> = [
  ["anthropic", Anthropic.provider, generate("chat_completion")],
  ["deepseek", provider(deepSeek), generate("chat_completion")],
  ["google", Gemini.provider, generate("chat_completion")],
  ["groq", provider(groq), generate("chat_completion")],
  ["openai-chat", provider(openai), generate("chat_completion")],
  ["openai-completion", provider(openai), generate("text_completion")],
  ["openai-embedding", provider(openai), embed],
  ["openai-responses", provider(openai), generate("responses")],
  ["openai-transcription", provider(openai), transcribe]
]

/** What a provider makes of a body that arrives in these pieces; a defect rejects. */
const readBody = (made: Made, ask: Ask, pieces: ReadonlyArray<Uint8Array>) => {
  const body = () => new Response(ReadableStream.from(pieces))
  return Effect.gen(function* () {
    const { connect } = yield* made
    const asked = ask(yield* connect(target({ model: "m" })))
    assert(asked !== undefined)
    return yield* Effect.result(asked)
  }).pipe(Effect.provideService(HttpClient.HttpClient, fakeHttp(body).client), Effect.runPromise)
}

describe(`recorded bodies${why}`, () => {
  for (const [folder, made, ask] of readers) {
    for (const file of files(folder, ".json")) {
      it(`${folder}/${file} is the same from any chunking, and fails typed from any cut`, async () => {
        const bytes = new TextEncoder().encode(read(folder, file).trim())
        const whole = await readBody(made, ask, [bytes])
        const position = fc.integer({ min: 1, max: bytes.length - 1 })
        await fc.assert(
          fc.asyncProperty(fc.array(position, { maxLength: 8 }), position, async (cuts, end) => {
            const at = [0, ...cuts.toSorted((left, right) => left - right), bytes.length]
            const pieces = at.slice(1).map((to, index) => bytes.slice(at[index], to))
            assert.deepStrictEqual(await readBody(made, ask, pieces), whole)
            const cut = await readBody(made, ask, [bytes.slice(0, end)])
            assert(Result.isFailure(cut), `cut at ${end} of ${bytes.length}, it is read`)
            const { outcome, reason } = cut.failure
            assert.deepStrictEqual([reason._tag, outcome], ["NetworkError", "unknown"])
          }),
          { numRuns: 40 }
        )
      })
    }
  }
})
