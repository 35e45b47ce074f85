import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"

/** OpenAI's limit, and the default: 25 MiB. */
const size = 26_214_400

const upload = (path: string, uploads: number) =>
  JSON.parse(
    execFileSync(
      process.execPath,
      ["--max-semi-space-size=8", join(import.meta.dirname, "upload.ts"), path, String(uploads)],
      { encoding: "utf8" }
    )
  )

describe("transcribeBatch", () => {
  it("reads no file whole: 12 of 25 MB at once stay within 100 MB of one", () => {
    const folder = mkdtempSync(join(tmpdir(), "infermesh-upload-"))
    try {
      const path = join(folder, "long.wav")
      writeFileSync(path, new Uint8Array(size))
      const one = upload(path, 1)
      const many = upload(path, 12)
      assert.deepStrictEqual([one.failed, many.failed], [0, 0])
      assert.isAbove(many.receivedBytes, 12 * size)
      const growth = (many.peakBytes - one.peakBytes) / 1_000_000
      assert.isBelow(growth, 100, `peak memory grew by ${growth.toFixed(1)} MB`)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
