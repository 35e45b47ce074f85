import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Mapper from "infermesh/Mapper"

import * as Process from "../job/process/Process.ts"

const withModule = <A, E, R>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const folder = yield* Process.folder
    for (const [name, source] of Object.entries(files)) {
      mkdirSync(join(folder, name, ".."), { recursive: true })
      writeFileSync(join(folder, name), source)
    }
    return yield* use(folder)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("load", () => {
  it.live(
    "takes a function of a TypeScript or JavaScript module, the default export without a name",
    () =>
      withModule(
        {
          "prompts.ts":
            'import { prefix } from "./deep/prefix.ts"\ninterface Row { readonly q: string }\nexport const build = (row: Row) => ({ input: prefix + row.q })\nexport default (row: Row) => ({ input: row.q })\n',
          "deep/prefix.ts": 'export const prefix = "Say: "\n',
          "plain.js": "export async function build(row) { return { input: row.q } }\n"
        },
        (folder) =>
          Effect.gen(function* () {
            const named = yield* Mapper.load(join(folder, "prompts.ts#build"))
            assert.deepStrictEqual<unknown>(named.mapper({ q: "hi" }), { input: "Say: hi" })
            assert.match(named.identity, /^prompts\.ts#build [0-9a-f]{16}$/)
            const unnamed = yield* Mapper.load(join(folder, "prompts.ts"))
            assert.deepStrictEqual<unknown>(unnamed.mapper({ q: "hi" }), { input: "hi" })
            const plain = yield* Mapper.load(join(folder, "plain.js#build"))
            assert.deepStrictEqual<unknown>(
              yield* Effect.promise(() => plain.mapper({ q: "hi" }) as Promise<unknown>),
              { input: "hi" }
            )
          })
      )
  )

  it.live("has an identity that follows the source and what it imports, and not the folder", () => {
    const files = (prefix: string) => ({
      "a/m.ts": `import { p } from "../b/p.ts"\nexport const f = () => ({ input: p })\n`,
      "b/p.ts": `export const p = "${prefix}"\n`
    })
    const identity = (prefix: string) =>
      withModule(files(prefix), (folder) =>
        Effect.map(Mapper.load(join(folder, "a/m.ts#f")), ({ identity }) => identity)
      )
    return Effect.gen(function* () {
      const [one, same, other] = yield* Effect.all([identity("x"), identity("x"), identity("y")])
      assert.strictEqual(one, same)
      assert.notStrictEqual(one, other)
    })
  })

  it.live("says what is wrong with a mapper that cannot be loaded", () =>
    withModule(
      {
        "m.ts": "export const build = () => ({ input: 1 })\nexport const value = 1\n",
        "none.ts": "export const value = 1\n",
        "broken.ts": "export const = 1\n",
        "throws.ts": 'throw new Error("at once\\nand loud")\n'
      },
      (folder) =>
        Effect.gen(function* () {
          const cases: ReadonlyArray<readonly [string, RegExp]> = [
            ["missing.ts#f", /^cannot read .*missing\.ts: there is no such file/],
            ["m.ts#other", /has no function 'other'; it exports build\. Write FILE#FUNCTION$/],
            ["m.ts#value", /has no function 'value'; it exports build/],
            ["m.ts", /has no function 'default'; it exports build/],
            ["none.ts#f", /it exports none/],
            ["broken.ts#f", /the module cannot be run \(.+\)$/],
            ["throws.ts#f", /the module cannot be run \(at once and loud\)$/]
          ]
          for (const [given, message] of cases) {
            const error = yield* Effect.flip(Mapper.load(join(folder, given)))
            assert.strictEqual(error._tag, "CannotRun")
            assert.match(error.message, message)
            assert.notInclude(error.message, "\n")
          }
        })
    )
  )
})
