import type { Settlement } from "@infermesh/core/admission/Account"
import type { Caller } from "@infermesh/core/admission/Caller"
import type { Cost, Quota } from "@infermesh/core/admission/Quota"
import * as QuotaModule from "@infermesh/core/admission/Quota"
import * as QuotaStore from "@infermesh/core/admission/QuotaStore"
import type { Plan } from "@infermesh/core/Call"
import { Call } from "@infermesh/core/Call"
import * as Deployment from "@infermesh/core/Deployment"
import * as Usage from "@infermesh/core/operation/Usage"
import type { Answer } from "@infermesh/core/provider/Provider"
import { AttemptError } from "@infermesh/core/provider/Provider"
import * as Health from "@infermesh/core/routing/Health"
import * as Scheduler from "@infermesh/core/Scheduler"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Clock, Effect, Fiber, Layer } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"

const plan: Plan<null> = {
  operation: "generate",
  send: () => Effect.die("the scheduler sends nothing itself"),
  size: { texts: [], messageCount: 0, maxOutputTokens: 0, choices: 1 },
  timeoutMillis: Infinity,
  deadlineMillis: Infinity
}

export const costOf = (tokens: number): Cost => ({
  requests: 1,
  inputTokens: tokens,
  outputTokens: 0,
  audioSeconds: 0,
  usd: 0
})

export const callOf = (
  tokens = 0,
  caller: Caller = { name: "" },
  route: Partial<Plan<null>> = {}
): Call<null> => {
  const call = new Call({ ...plan, ...route }, 0, { caller, budgets: [] })
  call.cost = costOf(tokens)
  return call
}

export const answerOf = (tokens?: number): Answer<null> => ({
  value: null,
  usage:
    tokens === undefined ? undefined : Usage.make({ promptTokens: tokens, completionTokens: 0 }),
  requestId: undefined,
  rateLimits: undefined,
  body: undefined
})

export const failure = (outcome: AttemptError["outcome"]) =>
  new AttemptError({
    reason: new AiError.InvalidRequestError({ description: "a test" }),
    outcome
  })

export interface Setting extends Omit<Scheduler.SchedulerOptions, "deployments"> {
  readonly deployments?: {
    readonly [label: string]: Quota | Partial<Deployment.DeploymentSettings>
  }
  readonly store?: Layer.Layer<QuotaStore.QuotaStore>
}

const isQuota = (value: object): value is Quota => Object.keys(value).every((key) => key in fields)
const { fields } = QuotaModule.Quota

/** A scheduler over deployments of one model, each given its limits alone or whatever it needs. */
export const layerOf = ({
  deployments = { only: {} },
  store = QuotaStore.layerMemory,
  ...options
}: Setting) =>
  Layer.unwrap(
    Effect.map(
      Effect.forEach(Object.entries(deployments), ([label, given]) =>
        deploymentOf(label, isQuota(given) ? { limits: given } : given)
      ),
      (all) => Scheduler.layer({ ...options, deployments: all })
    )
  ).pipe(Layer.provide([Health.layer, store, TestProvider.layer()]))

export const deploymentOf = (
  label: string,
  settings: Partial<Deployment.DeploymentSettings> = {}
) => Deployment.make({ model: "test/m", ...settings }, label)

/** One attempt that takes a time and then uses what it is told. */
export const attempt = (
  scheduler: Scheduler.Scheduler["Service"],
  call: Call<null>,
  serviceMillis = 0,
  end: Effect.Effect<Answer<null>, AttemptError> = Effect.succeed(answerOf())
) => scheduler.admit(call, () => Effect.andThen(Effect.sleep(serviceMillis), end))

export interface Ask {
  readonly atMillis: number
  readonly tokens: number
  /** Share of the reserved tokens that is really used. */
  readonly use: number
  readonly serviceMillis: number
  readonly end: Settlement["_tag"] | "Interrupted"
}

export const asks = (most: number, maxLength: number) =>
  fc.array(
    fc.record<Ask>({
      atMillis: fc.integer({ min: 0, max: 150_000 }),
      tokens: fc.integer({ min: 1, max: most }),
      use: fc.double({ min: 0, max: 1, noNaN: true }),
      serviceMillis: fc.integer({ min: 0, max: 20_000 }),
      end: fc.constantFrom("Used", "Used", "Used", "Counted", "Refused", "Unsent", "Interrupted")
    }),
    { minLength: 1, maxLength }
  )

export interface Sent {
  readonly order: number
  readonly deployment: string
  readonly atMillis: number
  requests: number
  tokens: number
}

/** Plays a history and gives what was sent as a provider would count it, and the scheduler afterwards. */
export const play = Effect.fnUntraced(function* (history: ReadonlyArray<Ask>) {
  const scheduler = yield* Scheduler.Scheduler
  const sent: Array<Sent> = []
  const one = Effect.fnUntraced(function* (ask: Ask, order: number) {
    yield* Effect.sleep(ask.atMillis)
    const call = callOf(ask.tokens)
    yield* Effect.ignore(
      scheduler.admit(
        call,
        Effect.fnUntraced(function* () {
          const record: Sent = {
            order,
            deployment: call.deployment?.id ?? "",
            atMillis: yield* Clock.currentTimeMillis,
            requests: 1,
            tokens: ask.tokens
          }
          sent.push(record)
          yield* Effect.sleep(ask.serviceMillis)
          switch (ask.end) {
            case "Used":
              record.tokens = Math.floor(ask.tokens * ask.use)
              return answerOf(record.tokens)
            case "Refused":
              record.tokens = 0
              return yield* failure("refused")
            case "Unsent":
              record.tokens = 0
              record.requests = 0
              return yield* failure("unsent")
            default:
              return answerOf()
          }
        })
      )
    )
  })
  const fibers = yield* Effect.forEach(history, (ask, order) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(one(ask, order), { startImmediately: true })
      // While it stands in line or while it is under way, whichever it is then.
      if (ask.end === "Interrupted") {
        yield* Effect.forkChild(
          Effect.andThen(
            Effect.sleep(ask.atMillis + ask.serviceMillis / 2),
            Fiber.interrupt(fiber)
          ),
          { startImmediately: true }
        )
      }
      return fiber
    })
  )
  yield* TestClock.adjust("3 hours")
  for (const fiber of fibers) yield* Fiber.await(fiber)
  return { sent, snapshot: yield* scheduler.snapshot }
})

export const worstWindow = (
  sent: ReadonlyArray<Sent>,
  windowMillis: number,
  of: "requests" | "tokens"
): number => {
  const sorted = sent.toSorted((left, right) => left.atMillis - right.atMillis)
  let worst = 0
  let sum = 0
  let first = 0
  for (const record of sorted) {
    sum += record[of]
    while ((sorted[first]?.atMillis ?? 0) <= record.atMillis - windowMillis)
      sum -= sorted[first++]?.[of] ?? 0
    worst = Math.max(worst, sum)
  }
  return worst
}

export const property = <A>(
  arbitrary: fc.Arbitrary<A>,
  numRuns: number,
  check: (value: A) => Effect.Effect<void>
) =>
  Effect.promise(() =>
    fc.assert(
      fc.asyncProperty(arbitrary, (value) =>
        Effect.runPromise(Effect.provide(check(value), TestClock.layer()))
      ),
      { numRuns }
    )
  )
