import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"

const root = join(import.meta.dirname, "../..")

// Commands of the README that no test runs, because they run the tests themselves or start from nothing:
// `npm test`, `npm start`.

/** Runs the check on a folder that holds the given documents and this repository's packages. */
function check(documents: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "infermesh-docs-"))
  try {
    symlinkSync(join(root, "tsconfig.base.json"), join(folder, "tsconfig.base.json"))
    mkdirSync(join(folder, "node_modules"))
    for (const name of ["effect", "@types"]) {
      symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name))
    }
    for (const [path, text] of Object.entries(documents)) {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
    return run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function run(...parameters: ReadonlyArray<string>) {
  const script = join(root, "scripts/check-docs.ts")
  return spawnSync(process.execPath, [script, ...parameters], { encoding: "utf8" })
}

describe("check-docs", () => {
  it("accepts examples that compile and run, and leaves fragments alone", () => {
    const { status, stderr, stdout } = check({
      "README.md":
        '```ts\n// run\nimport { Effect } from "effect"\nEffect.runSync(Effect.void)\n```\n',
      "docs/guide.md": "```ts fragment\nnot a module(\n```\n"
    })
    assert.strictEqual(stderr, "")
    assert.strictEqual(stdout, "docs: 2 fences, 1 of them type-checked\n")
    assert.strictEqual(status, 0)
  })

  it("reports a type error at its line in the document", () => {
    const { status, stderr } = check({
      "docs/guide.md": "# Guide\n\n```ts\nconst one = 1\nconst two: string = one\n```\n"
    })
    assert.match(stderr, /^docs\/guide\.md:5: error TS2322/)
    assert.strictEqual(status, 1)
  })

  it("reports an example of a source file's comment", () => {
    const { status, stderr } = check({
      "packages/core/src/Some.ts": "/**\n * ```ts\n * const two: string = 1\n * ```\n */\n"
    })
    assert.match(stderr, /^packages\/core\/src\/Some\.ts:3: error TS2322/)
    assert.strictEqual(status, 1)
  })

  it("reports an example that fails when it is run", () => {
    const { status, stderr } = check({
      "README.md": '```ts\n// run\nthrow new Error("boom")\n```\n'
    })
    assert.match(stderr, /^README\.md:1: the example fails/)
    assert.include(stderr, "boom")
    assert.strictEqual(status, 1)
  })

  it("reports a command of the README that no test names", () => {
    const { status, stderr } = check({
      "README.md": "```sh\n# a comment\n$ known --flag   # tested\nunknown\n```\n",
      "test/Command.test.ts": 'spawn("known --flag")'
    })
    assert.strictEqual(stderr, "README.md:4: no test names `unknown`\n")
    assert.strictEqual(status, 1)
  })

  it("reports a fence that is never closed", () => {
    const { status, stderr } = check({ "README.md": "text\n```ts\nconst one = 1\n" })
    assert.strictEqual(stderr, "README.md:2: this fence is never closed\n")
    assert.strictEqual(status, 1)
  })
})

describe("the documentation", () => {
  it("type-checks, runs, and shows only commands that a test names", () => {
    const { status, stderr } = run()
    assert.strictEqual(stderr, "")
    assert.strictEqual(status, 0)
  })
})
