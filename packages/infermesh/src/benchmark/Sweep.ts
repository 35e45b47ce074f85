/**
 * The same load at several settings, and which of them to take: the smallest that reaches 95 % of the best throughput, because
 * what lies above it only waits longer.
 *
 * Pure but for its words; loads are put on by `Load`.
 *
 * @since 0.1.0
 */
import { span } from "@infermesh/job/Progress"

import * as Html from "../Html.ts"
import type { Saying } from "../Terminal.ts"
import type { Measured, Percentiles } from "./Load.ts"

/**
 * What became of one setting.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly setting: number
  readonly measured: Measured
}

/**
 * A sweep.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sweep {
  /** What was varied, such as `concurrency`. */
  readonly name: string
  /** What one answer holds: 1, or as many texts as the setting says. */
  readonly unit: "requests" | "texts"
  readonly steps: ReadonlyArray<Step>
}

/** Of the best throughput. */
const enough = 0.95

/**
 * Requests or texts in a second.
 *
 * @category getters
 * @since 0.1.0
 */
export const throughput = ({ unit }: Sweep, { measured, setting }: Step): number =>
  measured.perSecond * (unit === "texts" ? setting : 1)

/**
 * The setting to take; `undefined` where nothing was answered.
 *
 * @category getters
 * @since 0.1.0
 */
export const recommended = (sweep: Sweep): number | undefined => {
  const best = Math.max(0, ...sweep.steps.map((step) => throughput(sweep, step)))
  if (best === 0) return undefined
  return sweep.steps
    .toSorted((left, right) => left.setting - right.setting)
    .find((step) => throughput(sweep, step) >= enough * best)?.setting
}

/**
 * The sweep as a table for people and an object for programs.
 *
 * @category rendering
 * @since 0.1.0
 */
export const say = (sweep: Sweep): Saying => {
  const rows = [head(sweep), ...sweep.steps.map((step) => row(sweep, step))]
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => (cells[column] ?? "").length))
  )
  const lines = rows.map((cells) =>
    cells.map((cell, column) => cell.padStart(widths[column] ?? 0)).join("  ")
  )
  const failures = sweep.steps.flatMap(({ measured, setting }) =>
    Object.entries(measured.failures).map(
      ([reason, count]) => `${sweep.name} ${setting}: ${count} × ${reason}`
    )
  )
  const take = recommended(sweep)
  return {
    text: [
      ...lines,
      ...failures,
      take === undefined
        ? "nothing was answered, so nothing is recommended; look at the failures"
        : `recommended: ${sweep.name} ${take}, the smallest with ${100 * enough} % of the best throughput`
    ].join("\n"),
    type: "bench",
    data: toJson(sweep)
  }
}

const head = ({ name, unit }: Sweep): ReadonlyArray<string> => [
  name,
  "answered",
  "failed",
  `${unit}/s`,
  "p50",
  "p95",
  "p99",
  "service p50",
  "service p95",
  "queue p95"
]

const row = (sweep: Sweep, step: Step): ReadonlyArray<string> => {
  const { answered, endToEndMillis, failures, queueMillis, serviceMillis } = step.measured
  return [
    String(step.setting),
    String(answered),
    String(Object.values(failures).reduce((sum, count) => sum + count, 0)),
    throughput(sweep, step).toFixed(1),
    ...[endToEndMillis.p50, endToEndMillis.p95, endToEndMillis.p99].map(time),
    time(serviceMillis.p50),
    time(serviceMillis.p95),
    time(queueMillis.p95)
  ]
}

const time = (millis: number): string => (Number.isNaN(millis) ? "-" : span(millis))

const toJson = (sweep: Sweep) => ({
  swept: sweep.name,
  unit: sweep.unit,
  recommended: recommended(sweep),
  steps: sweep.steps.map((step) => {
    const { answered, endToEndMillis, failures, queueMillis, seconds, serviceMillis } =
      step.measured
    return {
      setting: step.setting,
      answered,
      failures,
      seconds,
      per_second: throughput(sweep, step),
      end_to_end_ms: numbers(endToEndMillis),
      service_ms: numbers(serviceMillis),
      queue_ms: numbers(queueMillis)
    }
  })
})

/** JSON has no word for what is not a number. */
const numbers = ({ p50, p95, p99 }: Percentiles) =>
  Number.isNaN(p50) ? undefined : { p50, p95, p99 }

/**
 * The sweep as a page of HTML, with its curves.
 *
 * @category rendering
 * @since 0.1.0
 */
export const page = (sweep: Sweep, model: string): string => {
  const take = recommended(sweep)
  const curve = (label: string, of: (step: Step) => number) =>
    Html.curve({
      label,
      x: sweep.name,
      y: label,
      marked: take === undefined ? undefined : String(take),
      points: sweep.steps.map((step) => ({
        x: String(step.setting),
        y: Number.isNaN(of(step)) ? 0 : of(step)
      }))
    })
  return Html.page(`Benchmark of ${model}`, [
    Html.cards([
      ["Swept", sweep.name],
      ["Recommended", take === undefined ? "nothing was answered" : String(take)]
    ]),
    Html.section(
      "Throughput",
      `${sweep.unit} answered in a second; the recommended setting stands out.`,
      curve(`${sweep.unit} a second`, (step) => throughput(sweep, step))
    ),
    Html.section(
      "Latency",
      "The time that 95 of 100 answers took at most, in milliseconds.",
      curve("p95, ms", ({ measured }) => measured.endToEndMillis.p95)
    ),
    Html.section(
      "All figures",
      "Times from asking to the answer; service is the time in attempts, queue the rest.",
      Html.table([head(sweep), ...sweep.steps.map((step) => row(sweep, step))])
    )
  ])
}
