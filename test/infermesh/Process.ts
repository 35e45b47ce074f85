import { spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect } from "effect"
import * as SimulatorServer from "infermesh/simulator/SimulatorServer"

/** The entry of the command, as it stands in the sources. */
export const bin = join(import.meta.dirname, "../../packages/infermesh/src/bin.ts")

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Called with each piece of standard output. */
  readonly onOutput?: (kill: (signal: NodeJS.Signals) => void, piece: string) => void
  /** Asked again and again; the process gets a signal as soon as it gives one. */
  readonly kill?: () => NodeJS.Signals | undefined
  /** Closes standard output when so many characters have come. */
  readonly closeStdoutAfter?: number
}

/** The environment that every process has: what Node compiled is kept, because most of a start is compiling. */
export const environment = {
  PATH: process.env["PATH"] ?? "",
  NODE_COMPILE_CACHE: join(tmpdir(), "infermesh-compile-cache")
}

/** Runs the real command in a process of its own. */
export const infermesh = (
  parameters: ReadonlyArray<string>,
  options: RunOptions = {}
): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...parameters], {
      env: { ...environment, ...options.env },
      cwd: options.cwd
    })
    let stdout = ""
    let stderr = ""
    const kill = (signal: NodeJS.Signals) => void child.kill(signal)
    child.stdout.on("data", (piece: Buffer) => {
      stdout += piece.toString()
      options.onOutput?.(kill, piece.toString())
      if (options.closeStdoutAfter !== undefined && stdout.length > options.closeStdoutAfter)
        child.stdout.destroy()
    })
    child.stderr.on("data", (piece: Buffer) => {
      stderr += piece.toString()
    })
    const poll =
      options.kill === undefined
        ? undefined
        : setInterval(() => {
            const signal = options.kill?.()
            if (signal === undefined) return
            clearInterval(poll)
            kill(signal)
          }, 2)
    child.on("close", (code, signal) => {
      clearInterval(poll)
      resolve({ code, signal, stdout, stderr })
    })
    // A process that ends before it has read everything is no failure of the test.
    child.stdin.on("error", () => {})
    child.stdin.end(options.stdin ?? "")
  })

export const rowsOf = (text: string): ReadonlyArray<Record<string, unknown>> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))

/** A folder until the scope closes, with what writes a file into it. */
export const folder = Effect.gen(function* () {
  const path = mkdtempSync(join(tmpdir(), "infermesh-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(path, { recursive: true })))
  return {
    path,
    at: (name: string) => join(path, name),
    file: (name: string, text: string) => {
      writeFileSync(join(path, name), text)
      return join(path, name)
    }
  }
})

/** Rows `{"prompt":"q0"}`, `{"prompt":"q1"}`, … */
export const prompts = (count: number): string =>
  Array.from({ length: count }, (_, index) => `{"prompt":"q${index}"}\n`).join("")

/** A simulated provider until the scope closes. */
export const simulated = Effect.fnUntraced(function* (settings: Simulator.SimulatorSettings = {}) {
  const simulator = yield* Simulator.make(settings)
  const { url } = yield* SimulatorServer.serve({ simulator })
  return { simulator, base: `${url}/v1` }
})
