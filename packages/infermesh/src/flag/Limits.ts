/**
 * The flags that say how much may be sent and spent, how often it is tried and how long it may take.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"

const whole = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.optional)

const time = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withMetavar("TIME"), Flag.optional)

/**
 * Quotas of the client over all its deployments, slots, budget, retries and time limits.
 *
 * @category flags
 * @since 0.1.0
 */
export const limits = {
  maxParallelRequests: Flag.Int("max-parallel-requests").pipe(
    Flag.withDescription("Requests in flight at once; default 128"),
    Flag.withDefault(128)
  ),
  rpm: whole("rpm", "Requests per minute"),
  tpm: whole("tpm", "Tokens per minute"),
  rpd: whole("rpd", "Requests per day"),
  tpd: whole("tpd", "Tokens per day"),
  maxRequestBurst: whole(
    "max-request-burst",
    "Most requests at one instant; the rest of --rpm is spread evenly"
  ),
  maxTokenBurst: whole(
    "max-token-burst",
    "Most tokens at one instant; the rest of --tpm is spread evenly"
  ),
  budgetUsd: Flag.Finite("budget-usd").pipe(
    Flag.withMetavar("USD"),
    Flag.withDescription(
      "Most that this run may spend, in US dollars; rows it is not enough for are asked by the next --resume"
    ),
    Flag.optional
  ),
  maxRetries: Flag.Int("max-retries").pipe(
    Flag.withDescription("Attempts after the first, fallbacks included; default 3"),
    Flag.withDefault(3)
  ),
  timeout: time(
    "timeout",
    "Longest time for one attempt: seconds, or '30 seconds'; default 10 minutes"
  ),
  deadline: time("deadline", "Longest time for one row with its waits and retries; default none")
}
