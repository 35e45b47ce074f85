/**
 * What the end of an attempt means for quota.
 *
 * The accounts keep the count (`Account`); this file only reads the outcome.
 *
 * @since 0.1.0
 */
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"

import type { Reports, Settlement } from "./admission/Account.ts"
import type { Cost } from "./admission/Quota.ts"
import type { SlotEnd } from "./admission/Slots.ts"
import type { Call } from "./Call.ts"
import type { TokenUsage } from "./operation/Usage.ts"
import type { Answer, AttemptError } from "./provider/Provider.ts"
import type { LimitHeaders, RateLimitHeaders } from "./provider/RateLimitHeaders.ts"

/**
 * What an attempt's end means for quota. An attempt the provider may have counted stays counted.
 *
 * @category getters
 * @since 0.1.0
 */
export const settlementOf = <A>(
  call: Call<A>,
  exit: Exit.Exit<Answer<A>, AttemptError>
): Settlement => {
  if (Exit.isSuccess(exit)) {
    const { audioSeconds, usage } = exit.value
    return usage === undefined && audioSeconds === undefined
      ? counted
      : { _tag: "Used", cost: used(call, usage, audioSeconds) }
  }
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  if (error?.usage !== undefined) return { _tag: "Used", cost: used(call, error.usage, undefined) }
  switch (error?.outcome) {
    case "unsent":
      return unsent
    case "refused":
      return refused
    default:
      return counted
  }
}

/**
 * What an attempt's end means for the number of slots.
 *
 * @category getters
 * @since 0.1.0
 */
export const slotEndOf = (exit: Exit.Exit<unknown, AttemptError>): SlotEnd => {
  if (Exit.isSuccess(exit)) return "answered"
  const reason = Option.getOrUndefined(Exit.findErrorOption(exit))?.reason
  switch (reason?._tag) {
    case "RateLimitError":
    case "TimedOut":
      return "overload"
    case "InternalProviderError":
      return overloaded.has(reason.http?.response?.status ?? 0) ? "overload" : "neither"
    default:
      return "neither"
  }
}

/** Statuses by which a server says that it has too much to do: 503, and 529 of Anthropic. */
const overloaded = new Set([503, 529])

/**
 * What a response says about the limits it was counted against, as accounts learn it.
 *
 * @category getters
 * @since 0.1.0
 */
export const reportsOf = (headers: RateLimitHeaders): Reports => {
  const reports: Array<Reports[number]> = []
  const add = (
    dimension: Reports[number]["dimension"],
    limit: LimitHeaders | undefined,
    scope?: Reports[number]["scope"]
  ) => {
    if (limit !== undefined) reports.push({ ...limit, dimension, scope })
  }
  add("requests", headers.requests)
  // Where input and output are limited apart, the total only repeats the tighter of them.
  if (headers.inputTokens === undefined && headers.outputTokens === undefined)
    add("tokens", headers.tokens)
  add("inputTokens", headers.inputTokens)
  add("outputTokens", headers.outputTokens)
  add("requests", headers.perMinute?.requests, "minute")
  add("tokens", headers.perMinute?.tokens, "minute")
  add("requests", headers.perDay?.requests, "day")
  add("tokens", headers.perDay?.tokens, "day")
  return reports
}

const used = (
  { cost, priceOf }: Pick<Call<unknown>, "cost" | "priceOf">,
  usage: TokenUsage | undefined,
  audioSeconds: number | undefined
): Cost => ({
  requests: cost.requests,
  inputTokens: usage === undefined ? cost.inputTokens : usage.promptTokens,
  // What the provider counts beside prompt and answer is counted with the answer.
  outputTokens:
    usage === undefined
      ? cost.outputTokens
      : Math.max(usage.completionTokens, usage.totalTokens - usage.promptTokens),
  audioSeconds: audioSeconds ?? cost.audioSeconds,
  usd: (usage === undefined ? undefined : priceOf?.(usage)) ?? cost.usd
})

const counted: Settlement = { _tag: "Counted" }
const refused: Settlement = { _tag: "Refused" }
const unsent: Settlement = { _tag: "Unsent" }
