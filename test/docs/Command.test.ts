import { spawnSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"

describe("docs/command.md", () => {
  it("and the pages of --help say what the definitions of the flags say", () => {
    const script = join(import.meta.dirname, "../../scripts/command-pages.ts")
    const { status, stderr } = spawnSync(process.execPath, [script, "--check"], {
      encoding: "utf8"
    })
    assert.strictEqual(stderr, "")
    assert.strictEqual(status, 0)
  })
})
