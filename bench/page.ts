// docs/performance.md, out of what was measured.
import type { GoalName } from "./goals.ts"
import { goals } from "./goals.ts"
import { median, ratio, spread, table, verdict } from "./measure.ts"
import type { Round } from "./rounds.ts"
import { workloads } from "./workloads.ts"

export interface Results {
  readonly machine: string
  readonly versions: string
  readonly rounds: {
    readonly [workload: string]: { readonly [peer: string]: ReadonlyArray<Round> }
  }
  readonly singles: { readonly [name: string]: { readonly [figure: string]: number } }
}

const names: { readonly [peer: string]: string } = {
  undici: "undici, bare pool",
  fetch: "fetch",
  effect: "Effect's HttpClient",
  infermesh: "**infermesh**",
  openai: "openai",
  ai: "AI SDK",
  langchain: "LangChain"
}

const figureOf = (results: Results, workload: string, peer: string): ReadonlyArray<number> => {
  const figure = workloads[workload]?.figure ?? "cpuMicros"
  return (results.rounds[workload]?.[peer] ?? []).map((round) => round[figure])
}

/** What was measured of each goal; absent where it was not measured this time. */
export const measured = (results: Results): ReadonlyMap<GoalName, number> => {
  const found = new Map<GoalName, number>()
  const against = (name: GoalName, workload: string, peer: string, other = workload) => {
    const [ours, theirs] = [
      figureOf(results, workload, "infermesh"),
      figureOf(results, other, peer)
    ]
    if (ours.length > 0 && theirs.length > 0) found.set(name, ratio(ours, theirs))
  }
  against("chat", "chat", "undici")
  against("chatOpenai", "chat", "openai")
  against("chatAi", "chat", "ai")
  against("latency", "latency", "undici")
  against("embedBase64", "embed-base64", "undici")
  against("embedFloats", "embed-base64", "undici", "embed-floats")
  against("stream", "stream", "undici")
  const { bundle, choice, collected, reservation, starts, streamed, thousands } = results.singles
  const single = (name: GoalName, value: number | undefined) => {
    if (value !== undefined) found.set(name, value)
  }
  single("reservation", reservation?.["reservationMicros"])
  single("choice", choice === undefined ? undefined : Math.max(...Object.values(choice)))
  single("streamed", streamed === undefined ? undefined : (streamed["grownBytes"] ?? 0) / 1e6)
  single("collected", collected?.["bytesAResult"])
  single("thousands", thousands?.["seconds"])
  const { helpMillis = 0, nothingMillis = 0 } = starts ?? {}
  single("help", starts === undefined ? undefined : helpMillis - 2 * nothingMillis)
  single("bundle", bundle?.["kilobytes"])
  return found
}

const rounded = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

export const verdicts = (results: Results): ReadonlyArray<readonly [GoalName, number, string]> =>
  [...measured(results)].map(([name, value]) => [name, value, verdict(goals[name], value)])

const goalsTable = (results: Results): string =>
  table([
    ["what", "measured", "goal", "gate", ""],
    ...verdicts(results).map(([name, value, word]) => {
      const { gate, goal, unit, what } = goals[name]
      return [
        what,
        `${rounded(value)} ${unit}`,
        `${rounded(goal)} ${unit}`,
        `${rounded(gate)} ${unit}`,
        word
      ]
    })
  ])

const workloadTable = (results: Results, name: string): string => {
  const base = figureOf(results, name, "undici")
  return table([
    ["client", workloads[name]?.unit ?? "", "× bare pool", "spread"],
    ...Object.keys(results.rounds[name] ?? {}).map((peer) => {
      const values = figureOf(results, name, peer)
      return [
        names[peer] ?? peer,
        rounded(median(values)),
        rounded(ratio(values, base)),
        `${(100 * spread(values)).toFixed(0)} %`
      ]
    })
  ])
}

export const page = (results: Results, profile: string): string => `# How fast it is, measured

<!-- Written by npm run bench. -->

Everything is measured on one machine in one run, and compared with the bare pool of undici in that run: absolute times say more about a machine than about a program, ratios travel. Each client is a process of its own; the server is another, and does as little as an answer needs. Clients take turns round by round, after so many operations that their code is compiled. The figure is the CPU time of the client's process for one operation, the median of the rounds; the spread is what the middle half of the rounds lie apart.

\`npm run bench\` measures all of it and writes this page (about ten minutes; the peers are installed in \`bench/\` alone); \`npm run bench -- --only chat --rounds 5\` a part, and writes nothing. \`npm run bench:check\` fails where a figure is above its gate. Gates are set above what was measured by the noise of a busy machine; they are not the goals.

Machine: ${results.machine}. ${results.versions}.

infermesh has everything on: a limit of slots, quotas of requests and tokens on the client and on each deployment, a router over four deployments, retries, the answer decoded by a Schema, metrics, prices.

## Goals

${goalsTable(results)}

${Object.keys(results.rounds)
  .map((name) => `## ${workloads[name]?.title}\n\n${workloadTable(results, name)}`)
  .join("\n\n")}

## Single figures

${table([
  ["what", "figure", "value"],
  ...Object.entries(results.singles).flatMap(([name, figures]) =>
    Object.entries(figures).map(([figure, value]) => [name, figure, rounded(value)])
  )
])}

${profile}`
