// Arithmetic of rounds: medians, spreads, ratios in one run.

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

/** How far rounds are from one another: the distance of the middle half, as a share of the median. */
export const spread = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
  return (at(0.75) - at(0.25)) / median(values)
}

/** The median of the ratios round by round: what slows the machine in one round slows both. */
export const ratio = (values: ReadonlyArray<number>, base: ReadonlyArray<number>): number =>
  median(values.map((value, round) => value / (base[round] ?? Number.NaN)))

/** A figure with a bound; the ratio of both decides. */
export interface Goal {
  readonly what: string
  /** What the project wants. */
  readonly goal: number
  /** What `bench:check` allows: what was measured, and the noise of it. */
  readonly gate: number
  readonly unit: string
}

export const verdict = ({ gate, goal }: Goal, value: number): "reached" | "missed" | "worse" =>
  value > gate ? "worse" : value > goal ? "missed" : "reached"

export const table = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const [head = []] = rows
  const widths = head.map((_, column) =>
    Math.max(3, ...rows.map((row) => (row[column] ?? "").length))
  )
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)
  const line = (row: ReadonlyArray<string>) => `| ${row.map(cell).join(" | ")} |`
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  )
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.slice(1).map(line)].join("\n")
}
