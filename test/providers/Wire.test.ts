import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"

import { recorded, why, wire } from "./Wire.ts"

/** The test that decodes the recordings of a folder, value by value; each fails for a file that is not in its table. */
const claims: { readonly [folder: string]: string } = {
  anthropic: "anthropic/Recorded.test.ts",
  deepseek: "openai/Recorded.test.ts",
  google: "gemini/Recorded.test.ts",
  groq: "openai/Recorded.test.ts",
  "openai-chat": "openai/Recorded.test.ts",
  "openai-completion": "openai/Recorded.test.ts",
  "openai-embedding": "openai/EmbedProtocol.test.ts",
  "openai-responses": "openai/ResponsesRecorded.test.ts",
  "openai-transcription": "openai/TranscriptionProtocol.test.ts"
}

const folders = recorded
  ? readdirSync(wire, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  : []

describe.skipIf(!recorded)(`recorded responses${why}`, () => {
  it("are in folders that a test claims", () => {
    assert.deepStrictEqual(folders.map(({ name }) => name).toSorted(), Object.keys(claims))
  })

  it("are all named by the test of their folder", () => {
    for (const { name: folder } of folders) {
      const test = join(import.meta.dirname, claims[folder] ?? "")
      assert.isTrue(existsSync(test), test)
      const source = readFileSync(test, "utf8")
      for (const file of readdirSync(join(wire, folder))) {
        const stem = file.replace(/\.(?:json|chunks\.txt)$/, "")
        assert.isTrue(source.includes(stem), `${folder}/${file} is named in ${claims[folder]}`)
      }
    }
  })
})
