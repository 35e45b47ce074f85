import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"

import { assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"

import { known, missed } from "./harness/Bounds.ts"
import { scenarios, tenThousand } from "./harness/Scenarios.ts"
import * as Files from "./report/Files.ts"

const docs = join(import.meta.dirname, "../../docs")

describe("infermesh against what people have without it", () => {
  let made: Effect.Success<typeof Files.make> | undefined
  beforeAll(async () => {
    made = await Effect.runPromise(Files.make)
  }, 300_000)

  for (const { name } of [...scenarios, tenThousand]) {
    it(`loses nothing, keeps the quota and uses it, and lets nobody wait for nothing: ${name}`, () => {
      const outcome = made?.outcomes.find(({ scenario }) => scenario.name === name)
      if (outcome === undefined) return assert.fail("it was not run")
      // A miss that is not known fails, and so does one that is known and is none any more.
      assert.deepStrictEqual<ReadonlyArray<string>>(
        missed(outcome),
        Object.keys(known.get(name) ?? {})
      )
    })
  }

  it("stands in the documents as it was measured: npm run scheduling writes them", () => {
    const files = made?.files ?? new Map<string, string>()
    for (const [name, content] of files) {
      assert.strictEqual(readFileSync(join(docs, name), "utf8"), content, name)
    }
    assert.deepStrictEqual(
      readdirSync(join(docs, "scheduling")).toSorted(),
      [...files.keys()].flatMap((name) => /^scheduling\/(.+)/.exec(name)?.[1] ?? []).toSorted()
    )
  })
})
