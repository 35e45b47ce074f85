/** The page of results: every word of it that is a number comes from a run. */
import type { Outcome } from "../harness/Bounds.ts"
import { known, missed, waitOf } from "../harness/Bounds.ts"
import type { Measures } from "../harness/Measures.ts"

const percent = (share: number, decimals = 2) => `${(100 * share).toFixed(decimals)} %`
const seconds = (value: number) => `${value.toFixed(1)} s`
const maybe = <A>(value: A | undefined, show: (value: A) => string) =>
  value === undefined ? "" : show(value)

const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const [head = []] = rows
  const widths = head.map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length), 3)
  )
  const line = (row: ReadonlyArray<string>, isLeft: (column: number) => boolean) =>
    `| ${row.map((cell, column) => (isLeft(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(" | ")} |`
  const isText = (column: number) => column < 2
  return [
    line(head, isText),
    `| ${widths.map((width, column) => (isText(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`,
    ...rows.slice(1).map((row) => line(row, isText))
  ].join("\n")
}

const clients = [
  ["ours", "infermesh"],
  ["backoff", "semaphore"],
  ["bucket", "full bucket"]
] as const

const measuresRow = (
  name: string,
  client: string,
  {
    answered,
    failed,
    fairness,
    overtaken,
    quotaUse,
    refused,
    refusedShare,
    seconds: end,
    waitP50,
    waitP99,
    answerP99,
    wasted
  }: Measures
) => [
  name,
  client,
  failed === 0 ? String(answered) : `${answered} (${failed} lost)`,
  refused === 0 ? "0" : `${refused} (${percent(refusedShare)})`,
  maybe(quotaUse, (use) => percent(use, 1)),
  seconds(waitP50),
  seconds(waitP99),
  seconds(answerP99),
  maybe(fairness, (index) => index.toFixed(3)),
  String(overtaken),
  percent(wasted, 1),
  seconds(end)
]

const results = (outcomes: ReadonlyArray<Outcome>) =>
  table([
    [
      "scenario",
      "client",
      "answered",
      "refused",
      "quota",
      "wait p50",
      "wait p99",
      "answer p99",
      "fairness",
      "overtaken",
      "wasted",
      "end"
    ],
    ...outcomes.flatMap((outcome) =>
      clients.map(([key, name], index) =>
        measuresRow(index === 0 ? outcome.scenario.name : "", name, outcome[key])
      )
    )
  ])

const priorities = (outcomes: ReadonlyArray<Outcome>) =>
  outcomes
    .filter(({ scenario: { callers = [] } }) => callers.some(({ priority = 0 }) => priority > 0))
    .map(
      (outcome) =>
        `In "${outcome.scenario.name}" the wait that counts is that of the caller with priority: its p99 is ${clients.map(([key, name]) => `${seconds(waitOf(outcome.scenario, outcome[key]))} with ${name}`).join(", ")}.`
    )
    .join("\n\n")

const misses = (outcomes: ReadonlyArray<Outcome>) =>
  outcomes
    .flatMap((outcome) =>
      missed(outcome).map((bound) => {
        const why = known.get(outcome.scenario.name)?.[bound]
        return `- **${outcome.scenario.name}**, ${bound}: ${why ?? "not explained"}`
      })
    )
    .join("\n")

const told = ({ scenario: { limits, name, settings } }: Outcome) => {
  const all = { ...(limits === undefined ? {} : { limits }), ...settings }
  return Object.keys(all).length === 0
    ? `- ${name}: nothing`
    : `- ${name}: \`${JSON.stringify(all)}\``
}

export const page = (outcomes: ReadonlyArray<Outcome>, plots: ReadonlyArray<string>): string =>
  `# How requests are scheduled, measured

<!-- Written by scripts/scheduling.ts; a test compares it with what the simulation gives. -->

The simulation in \`test/simulation\` sends the same requests to the same simulated servers with three clients, in virtual time and from a seed: who runs \`npm run scheduling\` gets this page to the letter.

- **infermesh**, told what a user knows (listed below) and nothing else.
- **semaphore**: 32 requests at a time, and exponential backoff with jitter from a second to a minute, as it is written by hand.
- **full bucket**: a token bucket that starts full for requests and one for tokens, as the Python library has it, and the same backoff.

The two obey a Retry-After, take replicas in turn, and never give a request up. Servers count requests and tokens in their own way, answer with the headers of their vendor, and take about 0.4 s (lognormal) for an answer.

## What is measured

- **refused**: attempts that got a 429 because the client had gone over the quota. Faults that a scenario injects are not among them.
- **quota**: how much of the limit was used from the second minute to the last whole one in which requests were waiting.
- **wait**: from the arrival of a request to the sending of the attempt that was answered. **answer**: to the answer.
- **fairness**: Jain's index over what equal callers got while all of them waited; 1 is equal.
- **overtaken**: the most requests of the same caller that came later than one and were sent first.
- **wasted**: attempts that answered nobody, per answer.
- **end**: when the last request was settled.

What is asked of infermesh: nothing lost; at most 0.1 % refused; at least 99 % of the quota used; wait p99 no worse than the better of the two others, within 1 % and the three seconds in which it finds out how large a burst may be; fairness of at least 0.99; no request overtaken by more than 64 later ones of its caller.

## Results

${results(outcomes)}

${priorities(outcomes)}

## What is missed

${misses(outcomes)}

## Scenarios

${outcomes.map(({ scenario: { name, what } }) => `- **${name}**: ${what}.`).join("\n")}

What infermesh is told, for each replica:

${outcomes.map(told).join("\n")}

Two choices are worth copying. A provider that refills evenly is told as \`enforcement: "token-bucket"\`, so that a minute's quota is not waited for twice. And where people wait beside a batch, \`maxRequestBurst\` keeps the batch from using a minute's quota at once: priority can only order what may still be sent.

## Pictures

Attempts a second: what the servers admitted is blue, what they refused red.

${plots.map((file) => `![${file.replace(/\.svg$/, "").replaceAll("-", " ")}](scheduling/${file})`).join("\n\n")}
`
