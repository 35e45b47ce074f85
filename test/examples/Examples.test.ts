import { spawnSync } from "node:child_process"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"

const folder = join(import.meta.dirname, "../../examples")

/** Runs an example in a process of its own, with no key in its environment. */
const run = (name: string): string => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [join(folder, name)], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] }
  })
  assert.deepStrictEqual([stderr, status], ["", 0])
  return stdout
}

const embedding =
  /20000 texts embedded, 0 failed\n\d{6} tokens for 0\.\d{4} USD\nmost like the query: text 12345, 1\.000\n/
const transcription =
  /3 s of english: \w.+\n( {2}[\d.]+ to [\d.]+ s: \w+\n){3}1\n00:00:00,000 --> 00:00:0\d,\d{3}\n\w[^]*?\n/
const conversation =
  /the model calls weather\(\{"city":"(?<city>\w+)"\}\): \k<city>: rain until noon, 14 °C\n\w.+\nstop, \d+ tokens\n/

const whole = (...parts: ReadonlyArray<RegExp>) =>
  new RegExp(`^${parts.map((part) => part.source).join("")}$`)

const expected: { readonly [name: string]: RegExp } = {
  "embed-texts.ts": whole(embedding),
  "transcribe-wav.ts": whole(transcription),
  "tool-conversation.ts": whole(conversation),
  "everything.ts": whole(embedding, transcription, conversation)
}

describe("the examples", () => {
  for (const [name, output] of Object.entries(expected)) {
    it(`run and print what they did: ${name}`, () => assert.match(run(name), output))
  }

  it("are all run here", () => {
    const programs = readdirSync(folder).filter((name) => /^[a-z].*\.ts$/.test(name))
    assert.deepStrictEqual(programs.toSorted(), Object.keys(expected).toSorted())
  })
})
