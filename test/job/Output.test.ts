import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as Output from "@infermesh/job/Output"
import { Effect } from "effect"

import * as JobFolder from "./JobFolder.ts"
import * as Process from "./process/Process.ts"

const inFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(Process.folder, use).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))

describe("paths", () => {
  it.live("puts the ledger beside the output, named after it", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const names = ["out.jsonl", "out.json", "out", "a.b.jsonl", ".jsonl"]
        const ledgers = yield* Effect.forEach(names, (name) =>
          Output.paths({ path: join(folder, name) })
        )
        assert.deepStrictEqual(
          ledgers.map(({ ledger }) => basename(ledger)),
          [
            "out.checkpoint.sqlite",
            "out.json.checkpoint.sqlite",
            "out.checkpoint.sqlite",
            "a.b.checkpoint.sqlite",
            ".jsonl.checkpoint.sqlite"
          ]
        )
        assert.isTrue(ledgers.every(({ isThere }) => !isThere))
      })
    )
  )

  it.live(
    "keeps outputs of the same name apart in a checkpoint directory, by their whole path",
    () =>
      inFolder((folder) =>
        Effect.gen(function* () {
          for (const name of ["a", "b"]) mkdirSync(join(folder, name))
          symlinkSync(join(folder, "a"), join(folder, "c"))
          const checkpointDirectory = join(folder, "ledgers")
          const [a, b, c] = yield* Effect.forEach(["a", "b", "c"], (name) =>
            Output.paths({ path: join(folder, name, "out.jsonl"), checkpointDirectory })
          )
          assert.match(basename(a?.ledger ?? ""), /^out\.[0-9a-f]{8}\.checkpoint\.sqlite$/)
          assert.notStrictEqual(a?.ledger, b?.ledger)
          assert.strictEqual(a?.ledger, c?.ledger)
        })
      )
  )

  it("takes an empty checkpoint directory for none", () => {
    const { checkpointDirectory } = Output.file("out.jsonl", { checkpointDirectory: "" })
    assert.isUndefined(checkpointDirectory)
  })

  it.live("refuses what is no file, and folders that are not there", () =>
    inFolder((folder) =>
      Effect.gen(function* () {
        const refused = (path: string) =>
          Effect.map(Effect.flip(Output.paths({ path })), ({ message }) => message)
        assert.match(yield* refused(folder), /it is no regular file/)
        assert.match(
          yield* refused("/dev/null"),
          /^cannot write \/dev\/null: it is no regular file/
        )
        assert.match(
          yield* refused(join(folder, "no", "out.jsonl")),
          /there is no such file or folder/
        )
      })
    )
  )

  it.live("lets no job take the ledger of another output for its own", () =>
    Effect.gen(function* () {
      const job = yield* JobFolder.make
      job.give([{ prompt: "a" }])
      yield* job.run()
      const other = join(job.folder, "out")
      writeFileSync(other, "")
      const { ledger } = yield* Output.paths({ path: other })
      assert.strictEqual(ledger, job.ledger)
      const error = yield* Effect.flip(job.runInto(other, { resume: true }))
      assert.match(error.message, /it is the ledger of out\.jsonl, not of out\./)
    }).pipe(Effect.scoped, Effect.provide(JobFolder.layer()))
  )
})
