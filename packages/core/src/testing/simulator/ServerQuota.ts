/**
 * The quota a simulated server enforces: requests and tokens, per minute and per day, all windows at once or none.
 *
 * **Details**: what a request costs is counted at its arrival: one request, and the prompt's tokens plus those of the
 * answer it is going to get (real providers count an estimate of the same). A request that is refused costs nothing. A
 * request that meets an injected error status costs one request and no tokens; one whose connection breaks costs
 * everything, since its answer was made.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

import * as QuotaWindow from "./QuotaWindow.ts"

const Limit = Schema.optional(Schema.Int.check(Schema.isGreaterThan(0)))

/**
 * The quota setting; a limit that is absent is not enforced.
 *
 * @category schemas
 * @since 0.1.0
 */
export const QuotaSettings = Schema.Struct({
  /** Requests per minute. */
  rpm: Limit,
  /** Tokens per minute, those of prompt and answer together. */
  tpm: Limit,
  /** Tokens of prompts per minute. */
  itpm: Limit,
  /** Tokens of answers per minute. */
  otpm: Limit,
  /** Requests per day. */
  rpd: Limit,
  /** Tokens per day. */
  tpd: Limit,
  enforcement: Schema.Literals(["sliding-window", "fixed-window", "token-bucket"]).pipe(
    Schema.withDecodingDefault(Effect.succeed("sliding-window" as const))
  ),
  /** Share of a limit that a token bucket holds at most. */
  burst: Schema.Finite.check(Schema.isGreaterThan(0), Schema.isLessThanOrEqualTo(1)).pipe(
    Schema.withDecodingDefault(Effect.succeed(1))
  )
})

/**
 * The quota setting.
 *
 * @category models
 * @since 0.1.0
 */
export type QuotaSettings = typeof QuotaSettings.Type

/**
 * The name of a limit.
 *
 * @category models
 * @since 0.1.0
 */
export type LimitName = "rpm" | "tpm" | "itpm" | "otpm" | "rpd" | "tpd"

/**
 * Why a request is over the quota.
 *
 * **Units**: requests or tokens, whichever `limitName` counts; `waitMillis` is `Infinity` when the request can never fit.
 *
 * @category models
 * @since 0.1.0
 */
export interface QuotaRefusal {
  readonly limitName: LimitName
  readonly limit: number
  readonly used: number
  readonly requested: number
  readonly waitMillis: number
}

/**
 * What the server tells about one limit with every response.
 *
 * @category models
 * @since 0.1.0
 */
export interface LimitReport {
  readonly limit: number
  readonly remaining: number
  readonly resetMillis: number
}

/**
 * What the server tells about its limits with every response: the minute's, else the day's; absent where there is none.
 *
 * @category models
 * @since 0.1.0
 */
export interface QuotaReport {
  readonly requests?: LimitReport | undefined
  readonly tokens?: LimitReport | undefined
  readonly inputTokens?: LimitReport | undefined
  readonly outputTokens?: LimitReport | undefined
}

/**
 * A quota being enforced.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServerQuota {
  /** Takes the cost from all windows and gives nothing back, or takes nothing and says why. */
  readonly admit: (
    now: number,
    promptTokens: number,
    completionTokens: number
  ) => QuotaRefusal | undefined
  readonly report: (now: number) => QuotaReport
}

const minuteMillis = 60_000
const dayMillis = 86_400_000

/**
 * Starts enforcing a quota.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (settings: QuotaSettings): ServerQuota => {
  const start = (limit: number | undefined, windowMillis: number) =>
    limit === undefined
      ? undefined
      : QuotaWindow.make(settings.enforcement, limit, windowMillis, settings.burst)
  const rpm = start(settings.rpm, minuteMillis)
  const tpm = start(settings.tpm, minuteMillis)
  const itpm = start(settings.itpm, minuteMillis)
  const otpm = start(settings.otpm, minuteMillis)
  const rpd = start(settings.rpd, dayMillis)
  const tpd = start(settings.tpd, dayMillis)
  const windows = (
    [
      ["rpm", rpm],
      ["tpm", tpm],
      ["itpm", itpm],
      ["otpm", otpm],
      ["rpd", rpd],
      ["tpd", tpd]
    ] as const
  ).flatMap(([limitName, window]) => (window === undefined ? [] : [{ limitName, window }]))
  return {
    admit: (now, promptTokens, completionTokens) => {
      let refusal: QuotaRefusal | undefined
      for (const { limitName, window } of windows) {
        const requested = amountOf(limitName, promptTokens, completionTokens)
        const waitMillis = window.waitMillis(now, requested)
        // The window that takes longest names the refusal: waiting for another would not help.
        if (waitMillis > (refusal?.waitMillis ?? 0)) {
          const used = window.used(now)
          refusal = { limitName, limit: window.limit, used, requested, waitMillis }
        }
      }
      if (refusal !== undefined) return refusal
      for (const { limitName, window } of windows) {
        window.take(now, amountOf(limitName, promptTokens, completionTokens))
      }
      return undefined
    },
    report: (now) => ({
      requests: reportOf(rpm ?? rpd, now),
      tokens: reportOf(tpm ?? tpd, now),
      inputTokens: reportOf(itpm, now),
      outputTokens: reportOf(otpm, now)
    })
  }
}

const amountOf = (limitName: LimitName, promptTokens: number, completionTokens: number): number => {
  switch (limitName) {
    case "rpm":
    case "rpd":
      return 1
    case "itpm":
      return promptTokens
    case "otpm":
      return completionTokens
    case "tpm":
    case "tpd":
      return promptTokens + completionTokens
  }
}

const reportOf = (
  window: QuotaWindow.QuotaWindow | undefined,
  now: number
): LimitReport | undefined =>
  window === undefined
    ? undefined
    : {
        limit: window.limit,
        remaining: Math.max(0, window.limit - window.used(now)),
        resetMillis: window.resetMillis(now)
      }
