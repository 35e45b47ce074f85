// Writes a WAV file of three seconds, and has it transcribed: with the times of its words, and as subtitles.
//
// node examples/transcribe-wav.ts
import process from "node:process"

import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, FileSystem } from "effect"
import { Inference } from "infermesh"

import * as Simulated from "./Simulated.ts"

const sampleRate = 16_000

/** A falling tone, 16 bits, mono. */
const wav = (seconds: number): Uint8Array => {
  const samples = seconds * sampleRate
  const view = new DataView(new ArrayBuffer(44 + 2 * samples))
  const write = (at: number, text: string) => {
    for (const [offset, letter] of [...text].entries())
      view.setUint8(at + offset, letter.charCodeAt(0))
  }
  write(0, "RIFF")
  view.setUint32(4, 36 + 2 * samples, true)
  write(8, "WAVEfmt ")
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true) // PCM
  view.setUint16(22, 1, true)
  view.setUint32(24, sampleRate, true)
  view.setUint32(28, 2 * sampleRate, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  write(36, "data")
  view.setUint32(40, 2 * samples, true)
  for (let index = 0; index < samples; index++) {
    const frequency = 880 - (440 * index) / samples
    const height = Math.sin((2 * Math.PI * frequency * index) / sampleRate)
    view.setInt16(44 + 2 * index, 12_000 * height, true)
  }
  return new Uint8Array(view.buffer)
}

export const program = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* files.makeTempFileScoped({ suffix: ".wav" })
  yield* files.writeFile(path, wav(3))

  // The file goes from disk to socket; of its path the provider learns only the last part.
  const detailed = yield* Inference.transcribe(path, {
    language: "en",
    responseFormat: "verbose_json",
    timestampGranularities: ["word"]
  })
  yield* Console.log(`${detailed.durationSeconds} s of ${detailed.language}: ${detailed.text}`)
  for (const { end, start, word } of detailed.words?.slice(0, 3) ?? []) {
    yield* Console.log(`  ${start} to ${end} s: ${word}`)
  }

  const subtitles = yield* Inference.transcribe(path, { responseFormat: "srt" })
  yield* Console.log(subtitles.text.trim())
}).pipe(Effect.scoped, Effect.provide(Simulated.layer("openai/whisper-1")))

if (process.argv[1] === import.meta.filename) NodeRuntime.runMain(program)
