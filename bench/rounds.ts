// Clients in processes of their own, taking turns round by round against one server.
import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"

import { workloads } from "./workloads.ts"

export interface Round {
  readonly done: number
  readonly cpuMicros: number
  readonly wallMillis: number
  readonly residentBytes: number
}

const start = (file: string, ...args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, file), ...args], {
    stdio: ["pipe", "pipe", "inherit"]
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { done, value } = await lines.next()
    if (done === true) throw new Error(`${[file, ...args].join(" ")} has ended`)
    return value
  }
  return { child, next }
}

const stop = (child: ChildProcess) => {
  child.stdin?.end()
  child.kill()
}

/** The rounds of each client of a workload; a client that fails is left out with its reason. */
export const run = async (
  name: string,
  rounds: number
): Promise<ReadonlyMap<string, ReadonlyArray<Round>>> => {
  const workload = workloads[name]
  if (workload === undefined)
    throw new Error(`no workload ${name}: ${Object.keys(workloads).join(", ")}`)
  const server = start("server.ts")
  const origin = `http://127.0.0.1:${await server.next()}`
  const clients = new Map<string, ReturnType<typeof start>>()
  const results = new Map<string, Array<Round>>()
  try {
    for (const peer of workload.peers) {
      const client = start("client.ts", peer, name, origin)
      if ((await client.next()) !== "ready") throw new Error(`${peer} is not ready`)
      clients.set(peer, client)
      results.set(peer, [])
    }
    const expected = workload.count * (workload.operation === "stream" ? 500 : 1)
    for (let round = 0; round < rounds; round++) {
      for (const [peer, { child, next }] of clients) {
        child.stdin?.write("round\n")
        const measured = JSON.parse(await next()) as Round
        if (measured.done !== expected)
          throw new Error(`${peer} did ${measured.done} of ${expected}`)
        results.get(peer)?.push(measured)
      }
    }
  } finally {
    for (const { child } of clients.values()) stop(child)
    stop(server.child)
  }
  return results
}
