import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"

import { Effect } from "effect"

import type { Setup } from "./run.ts"

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A job in a process of its own, killed so many milliseconds after it has begun, or was started, if it lives so long. */
export const run = (
  setup: Setup,
  options: {
    readonly killAfterMillis?: number | undefined
    readonly since?: "begun" | "started" | undefined
    readonly uid?: number | undefined
    readonly onBegun?: (() => void) | undefined
  } = {}
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "run.ts"), JSON.stringify(setup)],
      options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }
    )
    let stdout = ""
    let stderr = ""
    let timer: NodeJS.Timeout | undefined
    const arm = () => {
      if (options.killAfterMillis === undefined || timer !== undefined) return
      timer = setTimeout(() => child.kill("SIGKILL"), options.killAfterMillis)
    }
    if (options.since === "started") arm()
    child.stdout.on("data", (piece: Buffer) => {
      stdout += piece.toString()
      if (!stdout.includes("begun")) return
      options.onBegun?.()
      arm()
    })
    child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()))
    child.on("error", reject)
    child.on("close", (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout, stderr })
    })
  })

/** A folder of its own, gone when the scope closes. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "infermesh-job-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

export type Row = Readonly<Record<string, unknown>>

/** The rows of a file, each of which has to be whole. */
export const rowsOf = (path: string): ReadonlyArray<Row> => {
  const text = readFileSync(path, "utf8")
  if (text !== "" && !text.endsWith("\n")) throw new Error(`${path} does not end with a line end`)
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row)
}

/** The rows of a file that may have been torn off. */
export const wholeRowsOf = (path: string): ReadonlyArray<Row> => {
  try {
    const text = readFileSync(path, "utf8")
    return text
      .slice(0, text.lastIndexOf("\n") + 1)
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Row)
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
    throw cause
  }
}
