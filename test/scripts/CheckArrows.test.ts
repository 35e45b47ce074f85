import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import process from "node:process"

import { assert, describe, it } from "@effect/vitest"

const script = join(import.meta.dirname, "../../scripts/check-arrows.ts")

/** Runs the check on a tree of the given sources, by path below packages/. */
function check(sources: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), "infermesh-arrows-"))
  try {
    for (const [path, source] of Object.entries(sources)) {
      const file = join(root, "packages", path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, source)
    }
    return spawnSync(process.execPath, [script, root], { encoding: "utf8" })
  } finally {
    rmSync(root, { recursive: true })
  }
}

const good = {
  "core/src/index.ts": `export * as Effect from "effect"\n`,
  "core/src/Pipeline.ts": `import * as Slot from "./admission/Slot.ts"\nimport * as Router from "./routing/Router.ts"\n`,
  "core/src/admission/Slot.ts": `import * as Effect from "effect/Effect"\nimport type { Usage } from "../operation/Usage.ts"\n`,
  "core/src/operation/Usage.ts": `import * as HttpClient from "effect/http/HttpClient"\n`,
  "core/src/routing/Router.ts": [
    "/**",
    " * An example in a comment imports what it likes:",
    " *",
    ` * import { Effect } from "effect"`,
    ` * const module = import("node:fs")`,
    " */",
    `export const from = "effect"`
  ].join("\n"),
  "providers/src/OpenAi.ts": `import * as Provider from "@infermesh/core/provider/Provider"\n`,
  "job/src/LedgerSqlite.ts": `import { DatabaseSync } from "node:sqlite"\nimport * as Usage from "@infermesh/core/operation/Usage"\n`,
  "infermesh/src/Infermesh.ts": [
    `import * as Job from "@infermesh/job/Job"`,
    `import * as OpenAi from "@infermesh/providers/OpenAi"`,
    `import * as NodeRuntime from "@effect/platform-node/NodeRuntime"`
  ].join("\n")
}

/** One forbidden import each, with where and why it is reported. */
const bad: ReadonlyArray<readonly [path: string, source: string, report: string]> = [
  ["core/src/A.ts", `import * as Job from "@infermesh/job/Job"`, ":1: core may not import job"],
  ["core/src/A.ts", `\n\nexport * from "infermesh"`, ":3: core may not import infermesh"],
  [
    "providers/src/A.ts",
    `import type { Job } from "@infermesh/job"`,
    ":1: providers may not import job"
  ],
  [
    "job/src/A.ts",
    `import {\n  OpenAi\n} from "@infermesh/providers/OpenAi"`,
    ":3: job may not import providers"
  ],
  [
    "job/src/A.ts",
    `import "../../core/src/Pipeline.ts"`,
    ":1: ../../core/src/Pipeline.ts is outside of job"
  ],
  ["job/src/A.ts", `import "@infermesh/job/Job"`, ":1: @infermesh/job/Job is this package itself"],
  [
    "core/src/admission/A.ts",
    `import * as B from "../routing/B.ts"`,
    ":1: admission may not import routing"
  ],
  [
    "core/src/output/A.ts",
    `const lazy = () => import("../telemetry/B.ts")`,
    ":1: output may not import telemetry"
  ],
  ["core/src/A.ts", `import { readFileSync } from "node:fs"`, ":1: core may not import node:fs"],
  ["providers/src/A.ts", `import { readFileSync } from "fs"`, ":1: providers may not import fs"],
  [
    "job/src/A.ts",
    `import type { DatabaseSync } from "node:sqlite"`,
    ":1: job may not import node:sqlite"
  ],
  [
    "job/src/LedgerSqlite.ts",
    `import { readFileSync } from "node:fs"`,
    ":1: job may not import node:fs"
  ],
  ["job/src/A.ts", `import { Effect } from "effect"`, ":1: effect is a barrel"],
  ["core/src/A.ts", `const a = 1\nimport { Prompt } from "effect/ai"`, ":2: effect/ai is a barrel"],
  [
    "infermesh/src/A.ts",
    `import { NodeRuntime } from "@effect/platform-node"`,
    ":1: @effect/platform-node is a barrel"
  ],
  [
    "core/src/index.ts",
    `export * from "effect/unstable/ai/Chat"`,
    ":1: effect/unstable/ai/Chat is gone"
  ],
  [
    "core/src/A.ts",
    `type Chat = import("effect/unstable/ai/Chat").Chat`,
    ":1: effect/unstable/ai/Chat is gone"
  ]
]

describe("check-arrows", () => {
  it("accepts a tree in which every import follows the arrows", () => {
    const { status, stderr, stdout } = check(good)
    assert.strictEqual(stderr, "")
    assert.strictEqual(stdout, "arrows: 8 files, no forbidden import\n")
    assert.strictEqual(status, 0)
  })

  for (const [path, source, report] of bad) {
    it(`reports packages/${path}${report}`, () => {
      const { status, stderr } = check({ ...good, [path]: source })
      const lines = stderr.trim().split("\n")
      assert.strictEqual(lines.length, 1, stderr)
      assert.isTrue(lines[0]?.startsWith(`packages/${path}${report}`), stderr)
      assert.strictEqual(status, 1)
    })
  }

  it("reports a package it does not know", () => {
    const { status, stderr } = check({ "extra/src/A.ts": "" })
    assert.include(stderr, "packages/extra:1: unknown package")
    assert.strictEqual(status, 1)
  })

  it("finds nothing wrong in this repository", () => {
    const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" })
    assert.strictEqual(stderr, "")
    assert.strictEqual(status, 0)
  })
})
