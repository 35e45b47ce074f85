import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import * as NodeServices from "@effect/platform-node/NodeServices"
import type { TestProviderOptions } from "@infermesh/core/testing/TestProvider"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import * as LedgerSqlite from "@infermesh/job/LedgerSqlite"
import * as Output from "@infermesh/job/Output"
import { Effect, Layer, Stream } from "effect"

import * as TestClient from "../core/TestClient.ts"
import * as Process from "./process/Process.ts"

type Settings = Omit<
  Partial<Parameters<typeof Job.run>[0]>,
  "input" | "output" | "operation" | "mapper"
>

/** A folder with a job's files, and jobs over them: real files, the real ledger, only the vendor faked. */
export const make = Effect.map(Process.folder, (folder) => {
  const input = join(folder, "in.jsonl")
  const output = join(folder, "out.jsonl")
  const ledger = join(folder, "out.checkpoint.sqlite")
  const runInto = (output: string, settings: Settings = {}) =>
    Effect.flatMap(Input.file(input), (input) =>
      Job.run({ ...settings, input, output: Output.file(output), operation: Job.generate() })
    )
  return {
    folder,
    input,
    output,
    ledger,
    /** Writes the input: rows as JSON, texts as they are. */
    give: (rows: ReadonlyArray<unknown>) =>
      writeFileSync(
        input,
        rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`).join("")
      ),
    run: (settings: Settings = {}) => runInto(output, settings),
    /** A run into another output. */
    runInto,
    /** A run whose input can be read only once. */
    runStream: (settings: Settings = {}) =>
      Job.run({
        ...settings,
        input: Input.bytes(Stream.suspend(() => Stream.succeed(readFileSync(input)))),
        output: Output.file(output),
        operation: Job.generate()
      }),
    rows: () => Process.rowsOf(output),
    text: () => (existsSync(output) ? readFileSync(output, "utf8") : undefined),
    write: (text: string) => writeFileSync(output, text)
  }
})

/** The prompts that were asked since the last call. */
export const askedSince = () => {
  let seen = 0
  return Effect.map(
    Effect.flatMap(TestProvider.TestProvider, ({ asked }) => asked),
    (asked) => {
      const news = asked.slice(seen).map(({ text }) => text)
      seen = asked.length
      return news
    }
  )
}

export const layer = (options: TestProviderOptions = {}) =>
  Layer.mergeAll(
    // Audio is read through the file system that the client is built with.
    TestClient.layer({ maxRetries: 0 }, options).pipe(Layer.provide(NodeServices.layer)),
    LedgerSqlite.layer.pipe(Layer.provideMerge(NodeServices.layer))
  )

/** The rows' positions and what they were answered with, by position. */
export const answers = (rows: ReadonlyArray<Process.Row>) =>
  rows
    .map((row) => [row["_index"] as number, row["output_text"]] as const)
    .toSorted(([left], [right]) => left - right)

export const prompts = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ prompt: `q${index}` }))
