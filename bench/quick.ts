import process from "node:process"

import { median, ratio } from "./measure.ts"
import { run } from "./rounds.ts"
import { workloads } from "./workloads.ts"
for (const name of process.argv[2]!.split(",")) {
  const r = await run(name, Number(process.argv[3] ?? 3))
  const f = workloads[name]!.figure
  const base = r.get("undici")!.map((x) => x[f])
  for (const [peer, rounds] of r)
    console.log(
      name,
      peer.padEnd(10),
      median(rounds.map((x) => x[f])).toFixed(1),
      ratio(
        rounds.map((x) => x[f]),
        base
      ).toFixed(2)
    )
}
