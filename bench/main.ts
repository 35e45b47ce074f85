// `npm run bench`: all workloads with all clients, and docs/performance.md out of them.
//
// --only NAME,NAME   these workloads or single figures; the page is not written
// --rounds N         rounds of each workload (default 7)
// --check            fails where a figure is above its gate; the page is not written
import { readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"

import { goals } from "./goals.ts"
import type { Results } from "./page.ts"
import { page, verdicts } from "./page.ts"
import { run } from "./rounds.ts"
import * as Single from "./single.ts"
import { workloads } from "./workloads.ts"

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string", default: "7" },
    check: { type: "boolean", default: false }
  }
})
const rounds = Number(values.rounds)
const singles: { readonly [name: string]: () => { readonly [figure: string]: number } } = {
  reservation: () => Single.alone("reservation"),
  choice: () => Single.alone("choice"),
  tokens: () => Single.alone("tokens"),
  streamed: () => Single.alone("streamed"),
  collected: () => Single.alone("collected"),
  thousands: () => Single.alone("thousands"),
  starts: () => Single.starts(rounds),
  bundle: () => ({ kilobytes: Single.bundle() })
}
const every = [...Object.keys(workloads), ...Object.keys(singles)]
const wanted = values.only?.split(",") ?? every
const unknown = wanted.filter((name) => !every.includes(name))
if (unknown.length > 0 || !(rounds >= 1)) {
  console.error(`--only takes ${every.join(", ")}; --rounds a number of at least 1`)
  process.exit(2)
}

const root = join(import.meta.dirname, "..")
const versionOf = (name: string) => {
  const file = join(root, "bench/node_modules", name, "package.json")
  return `${name} ${(JSON.parse(readFileSync(file, "utf8")) as { version: string }).version}`
}
const results: {
  machine: string
  versions: string
  rounds: Record<string, Results["rounds"][string]>
  singles: Record<string, Results["singles"][string]>
} = {
  machine: `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"})`,
  versions: [
    `Node ${process.versions.node}`,
    ...["openai", "ai", "@langchain/openai"].map(versionOf)
  ].join(", "),
  rounds: {},
  singles: {}
}
for (const name of wanted) {
  console.log(`\n# ${name}`)
  const single = singles[name]
  if (single === undefined) results.rounds[name] = Object.fromEntries(await run(name, rounds))
  else results.singles[name] = single()
  console.log(
    JSON.stringify(
      results.singles[name] ??
        Object.fromEntries(
          Object.entries(results.rounds[name] ?? {}).map(([peer, all]) => [
            peer,
            all.map((round) => Math.round(10 * round[workloads[name]?.figure ?? "cpuMicros"]) / 10)
          ])
        )
    )
  )
}

console.log()
for (const [name, value, word] of verdicts(results)) {
  const { gate, goal, unit, what } = goals[name]
  console.log(
    `${word.padEnd(8)} ${what}: ${value.toFixed(2)} ${unit} (goal ${goal.toFixed(2)}, gate ${gate})`
  )
}
writeFileSync(join(root, "bench/results.json"), `${JSON.stringify(results, undefined, 2)}\n`)
if (values.check) {
  process.exitCode = verdicts(results).some(([, , word]) => word === "worse") ? 1 : 0
} else if (values.only === undefined) {
  const file = join(root, "docs/performance.md")
  // What was found by profiling is written by hand, and stays.
  const kept = /\n(## Where the rest goes\n[^]*)$/.exec(readFileSync(file, "utf8"))?.[1] ?? ""
  writeFileSync(file, page(results, kept))
}
