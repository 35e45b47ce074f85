// One client in a process of its own: `node bench/client.ts PEER WORKLOAD BASE`. Each line on standard input is a round; it is
// answered by a line with what the round cost this process.
import process from "node:process"
import { createInterface } from "node:readline"

import type { Peer } from "./Peer.ts"
import { workloads } from "./workloads.ts"

const [, , peerName = "", workloadName = "", origin = ""] = process.argv
const workload = workloads[workloadName]
if (workload === undefined) throw new Error(`no workload ${workloadName}`)
const { concurrency, count, isBase64 = false, latency = 0, operation, warmUp } = workload
const file = ["openai", "ai", "langchain"].includes(peerName) ? `${peerName}.mjs` : `${peerName}.ts`
const { make } = (await import(`./peer/${file}`)) as {
  readonly make: (base: string, connections: number, isBase64: boolean) => Peer
}
const peer = make(`${origin}/${latency}/v1`, concurrency, isBase64)
const run = peer[operation]
if (run === undefined) throw new Error(`${peerName} cannot ${operation}`)
await run(warmUp, concurrency)

console.log("ready")
for await (const _ of createInterface({ input: process.stdin })) {
  const cpu = process.cpuUsage()
  const start = performance.now()
  const done = await run(count, concurrency)
  const { system, user } = process.cpuUsage(cpu)
  console.log(
    JSON.stringify({
      done,
      cpuMicros: (user + system) / done,
      wallMillis: performance.now() - start,
      residentBytes: process.memoryUsage.rss()
    })
  )
}
process.exit(0)
