import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

import { assert } from "@effect/vitest"
import type { Generation } from "@infermesh/core/operation/Generate"
import * as Framing from "@infermesh/core/provider/Framing"
import type { Answer, AttemptError, GenerationPart } from "@infermesh/core/provider/Provider"
import type { Machine } from "@infermesh/providers/PartStream"
import * as PartStream from "@infermesh/providers/PartStream"
import { Effect, Result, Stream } from "effect"
import * as fc from "fast-check"

/** Where the recorded responses are. */
export const wire = join(import.meta.dirname, "../../../shared/wire")

/** Whether the recorded responses are beside this checkout. */
export const recorded = existsSync(wire)

export const why = recorded ? "" : " (skipped: the recorded responses are not beside this checkout)"

export const read = (folder: string, file: string): string =>
  readFileSync(join(wire, folder, file), "utf8")

export const files = (folder: string, ending: string): ReadonlyArray<string> =>
  recorded ? readdirSync(join(wire, folder)).filter((file) => file.endsWith(ending)) : []

export const events = (chunks: string): ReadonlyArray<string> =>
  chunks.split("\n").filter((line) => line.trim() !== "")

/** The bytes of a stream of events, named where a vendor names them. */
export const sse = (data: ReadonlyArray<string>, named = false): Uint8Array =>
  new TextEncoder().encode(
    data
      .map((line) => `${named ? `event: ${JSON.parse(line).type}\n` : ""}data: ${line}\n\n`)
      .join("")
  )

type Elements = ReadonlyArray<GenerationPart | Answer<Generation>>

export const decode = <State>(
  machine: Machine<State>,
  pieces: ReadonlyArray<Uint8Array>
): Effect.Effect<Elements, AttemptError> =>
  Stream.runCollect(PartStream.decode(Framing.events(Stream.fromIterable(pieces)), machine))

export const answerOf = (elements: Elements): Answer<Generation> => {
  const last = elements.at(-1)
  assert(last !== undefined && "value" in last, "the last element is the answer")
  return last
}

export const partsOf = (elements: Elements): ReadonlyArray<GenerationPart> =>
  elements.filter((element): element is GenerationPart => "type" in element)

/** The deltas of the first choice, put together. */
export const assembled = (parts: ReadonlyArray<GenerationPart>) => {
  const calls: Array<{ id: string; name: string; arguments: string }> = []
  let text = ""
  let reasoning = ""
  for (const part of parts) {
    if (part.choice !== 0) continue
    if (part.type === "text-delta") text += part.text
    else if (part.type === "reasoning-delta") reasoning += part.text
    else {
      const call = (calls[part.index] ??= { id: "", name: "", arguments: "" })
      call.id += part.id ?? ""
      call.name += part.name ?? ""
      call.arguments += part.arguments
    }
  }
  return { text, reasoning, calls }
}

/**
 * Any chunking of the bytes gives the same elements, and any cut the same answer or a typed failure; says how many cuts gave
 * the failure.
 */
export const survivesCuts = async <State>(
  machine: Machine<State>,
  bytes: Uint8Array,
  numRuns: number
): Promise<number> => {
  let failures = 0
  const position = fc.integer({ min: 0, max: bytes.length })
  const run = (pieces: ReadonlyArray<Uint8Array>) =>
    Effect.runPromise(Effect.result(decode(machine, pieces)))
  await fc.assert(
    fc.asyncProperty(fc.array(position, { maxLength: 12 }), position, async (cuts, end) => {
      const whole = Result.getOrThrow(await run([bytes]))
      const at = [0, ...cuts.toSorted((left, right) => left - right), bytes.length]
      const pieces = at.slice(1).map((to, index) => bytes.slice(at[index], to))
      assert.deepStrictEqual(Result.getOrThrow(await run(pieces)), whole)
      const cut = await run([bytes.slice(0, end)])
      if (Result.isSuccess(cut)) {
        assert.deepStrictEqual(answerOf(cut.success).value, answerOf(whole).value)
        return
      }
      failures++
      const { reason } = cut.failure
      assert.include(["StreamInterrupted", "NetworkError"], reason._tag)
      assert.strictEqual(cut.failure.outcome, "unknown")
      if (reason._tag === "StreamInterrupted") {
        assert.isTrue(assembled(partsOf(whole)).text.startsWith(reason.text))
      } else assert.isTrue(reason.isRetryable)
    }),
    { numRuns }
  )
  return failures
}
