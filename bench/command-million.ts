// A job of many rows through the real command, against a server that answers at once: peak memory, rows a second, and how long the
// resume of a job that is half done takes to plan. On a built repository: node bench/command-million.ts [ROWS] [ASKED] [FOLDER]
//
// One half is settled without the network, by the library; the command resumes the job and asks ASKED rows of the other half (all of
// it when ASKED is "all"). The server runs in a process of its own and does as little as an answer needs, on the same machine.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createWriteStream, mkdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

import { NodeServices } from "@effect/platform-node"
import { Inference } from "@infermesh/core/Inference"
import { GenerationResult } from "@infermesh/core/operation/Generate"
import * as Usage from "@infermesh/core/operation/Usage"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import * as LedgerSqlite from "@infermesh/job/LedgerSqlite"
import * as Output from "@infermesh/job/Output"
import { Duration, Effect, Layer } from "effect"

const rows = Number(process.argv[2] ?? 1_000_000)
const asked = process.argv[3] ?? "50000"
const folder = process.argv[4] ?? join(tmpdir(), "infermesh-million")
const command = join(import.meta.dirname, "../packages/infermesh/bin/infermesh.js")

const answer = Buffer.from(
  '{"id":"r","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":1,"total_tokens":11}}'
)

function serve(): void {
  const server = createServer((request, response) => {
    request.resume()
    request.on("end", () => {
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": answer.length
      })
      response.end(answer)
    })
  })
  server.keepAliveTimeout = 0
  server.listen(0, "127.0.0.1", () => {
    process.send?.((server.address() as AddressInfo).port)
  })
}

/** Runs the command; gives its seconds, its peak memory and the moment of its first request that is answered. */
async function run(label: string, parameters: ReadonlyArray<string>): Promise<void> {
  const started = performance.now()
  const child = spawn(process.execPath, [command, ...parameters], {
    stdio: ["ignore", "ignore", "pipe"]
  })
  let peak = 0
  let firstProgress: number | undefined
  let said = ""
  const poll = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8")
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
    } catch {
      // It has ended.
    }
  }, 200)
  child.stderr.on("data", (piece: Buffer) => {
    firstProgress ??= performance.now() - started
    said += piece.toString()
  })
  const [code] = (await once(child, "close")) as [number | null]
  clearInterval(poll)
  const seconds = (performance.now() - started) / 1000
  const summary = said
    .split("\n")
    .filter((line) => line.includes('"summary"'))
    .map((line) => JSON.parse(line) as { answered: number; failed: number; elapsed_s: number })[0]
  console.log(
    `${label}: exit ${code}, ${summary?.answered ?? 0} answered, ${summary?.failed ?? 0} failed in ${seconds.toFixed(1)} s, ` +
      `${((summary?.answered ?? 0) / (summary?.elapsed_s ?? 1)).toFixed(0)} rows/s, ` +
      `before the first row ${(seconds - (summary?.elapsed_s ?? 0)).toFixed(1)} s, peak memory ${peak.toFixed(0)} MB`
  )
}

/** Settles the first half with answers that cost no time. */
async function settleHalf(input: string, output: string): Promise<void> {
  const none = Duration.millis(1)
  const answered = new GenerationResult({
    generation: { modelId: "m", choices: [{ text: "yes", toolCalls: [], finishReason: "stop" }] },
    outputParsed: undefined,
    tokenUsage: Usage.make({ promptTokens: 10, completionTokens: 1 }),
    requestId: "r",
    cost: undefined,
    metrics: { queueWait: none, serviceTime: none, endToEnd: none, retries: 0, repairs: 0 },
    rawResponse: undefined
  })
  const inference = Layer.mock(Inference, { generate: (() => Effect.succeed(answered)) as never })
  await Effect.gen(function* () {
    yield* Job.run({
      input: yield* Input.file(input),
      output: Output.file(output),
      operation: Job.generate(),
      limit: Math.floor(rows / 2)
    })
  }).pipe(
    Effect.provide([inference, LedgerSqlite.layer.pipe(Layer.provideMerge(NodeServices.layer))]),
    Effect.runPromise
  )
}

async function main(): Promise<void> {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const [input, output] = [join(folder, "in.jsonl"), join(folder, "out.jsonl")]
  const file = createWriteStream(input)
  for (let index = 0; index < rows; index++) {
    const text = `{"prompt":"Question ${index}: what is known of the ships that sailed around the cape?"}\n`
    if (!file.write(text)) await once(file, "drain")
  }
  file.end()
  await once(file, "close")
  const server = spawn(process.execPath, [import.meta.filename, "serve"], {
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })
  const [port] = (await once(server, "message")) as [number]
  const flags = [
    "generate",
    "--model=hosted_vllm/m",
    `--api-base=http://127.0.0.1:${port}/v1`,
    `--input-jsonl=${input}`,
    `--output-jsonl=${output}`,
    "--json"
  ]
  await settleHalf(input, output)
  // The half of the library names no model, so the command is told to go on all the same.
  const limit = asked === "all" ? [] : [`--limit=${asked}`]
  await run("resumed", [...flags, "--resume", "--force", ...limit])
  server.kill()
  rmSync(folder, { recursive: true })
}

if (process.argv[2] === "serve") serve()
else await main()
