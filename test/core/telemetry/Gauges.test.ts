import { assert, describe, it } from "@effect/vitest"
import { Account } from "@infermesh/core/admission/Account"
import * as Caller from "@infermesh/core/admission/Caller"
import * as ConcurrencyLimit from "@infermesh/core/admission/ConcurrencyLimit"
import { Line } from "@infermesh/core/admission/Line"
import { Slots } from "@infermesh/core/admission/Slots"
import * as Deployment from "@infermesh/core/Deployment"
import * as Inference from "@infermesh/core/Inference"
import type { Ready } from "@infermesh/core/Ready"
import { Breaker } from "@infermesh/core/routing/Breaker"
import * as Health from "@infermesh/core/routing/Health"
import { Member } from "@infermesh/core/routing/Member"
import * as Scheduler from "@infermesh/core/Scheduler"
import * as SchedulerGauges from "@infermesh/core/SchedulerGauges"
import { metrics } from "@infermesh/core/telemetry/Metrics"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Fiber, Metric, Stream } from "effect"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"
import { all, fresh, gauge } from "./Registry.ts"

const ask = (text: string) => Effect.forkChild(Inference.generate(text), { startImmediately: true })

const rateLimits = {
  requests: { limit: 50, remaining: 40, resetMillis: 60_000 },
  tokens: undefined
}

describe("gauges", () => {
  it.effect("tell the line, the slots and the attempts in flight", () =>
    fresh(
      Effect.gen(function* () {
        const fibers = yield* Effect.forEach(["a", "b", "c"], ask)
        assert.strictEqual(yield* gauge(metrics.waiting.name), 1)
        assert.strictEqual(yield* gauge(metrics.inFlight.name), 2)
        assert.strictEqual(yield* gauge(metrics.slots.name), 2)
        const deployment = { "infermesh.deployment": "test/model" }
        assert.strictEqual(yield* gauge(metrics.deploymentInFlight.name, deployment), 2)
        // Deployments have no limit of slots here, and infinity is no number that exporters can write.
        assert.deepStrictEqual(yield* all(metrics.deploymentSlots.name), [])
        yield* Effect.forEach(fibers, Fiber.interrupt)
        assert.strictEqual(yield* gauge(metrics.waiting.name), 0)
        assert.strictEqual(yield* gauge(metrics.inFlight.name), 0)
      }).pipe(Effect.provide(TestClient.layer({ maxParallelRequests: 2 }, { latency: "1 hour" })))
    )
  )

  it.effect("tell the use of limits, and those that were learned from then on", () =>
    fresh(
      Effect.gen(function* () {
        const client = { "infermesh.quota.name": "rpm" }
        const deployment = { "infermesh.deployment": "test/model", "infermesh.quota.name": "rpm" }
        assert.strictEqual(yield* gauge(metrics.quotaLimit.name, client), 100)
        assert.deepStrictEqual(yield* all(metrics.deploymentQuotaLimit.name), [])
        yield* Inference.generate("x")
        assert.strictEqual(yield* gauge(metrics.quotaUsed.name, client), 1)
        assert.strictEqual(yield* gauge(metrics.deploymentQuotaLimit.name, deployment), 50)
        assert.strictEqual(yield* gauge(metrics.deploymentQuotaUsed.name, deployment), 10)
        yield* Inference.generate("y")
        assert.strictEqual((yield* all(metrics.deploymentQuotaUsed.name)).length, 1)
        // They are read when somebody asks, so what time gives back is seen without any request.
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(yield* gauge(metrics.quotaUsed.name, client), 0)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            { limits: { rpm: 100 }, deployments: { "test/model": { model: "test/model" } } },
            { reply: () => ({ text: "a", rateLimits }) }
          )
        )
      )
    )
  )

  it.effect("tell each deployment's health as one series for each state", () =>
    fresh(
      Effect.gen(function* () {
        const state = Effect.map(all(metrics.deploymentHealth.name), (series) =>
          series.flatMap((one) =>
            one.value === 1 ? [one.labels["infermesh.deployment.state"]] : []
          )
        )
        assert.deepStrictEqual(yield* state, ["healthy"])
        yield* Effect.forEach(["a", "b", "c", "d", "e"], (text) =>
          Effect.flip(Inference.generate(text))
        )
        assert.deepStrictEqual(yield* state, ["open"])
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(yield* state, ["half-open"])
      }).pipe(
        Effect.provide(
          TestClient.layer({ maxRetries: 0 }, { reply: () => TestProvider.unavailable() })
        )
      )
    )
  )

  it.effect("leave the registry with their client, which counters outlive", () =>
    fresh(
      Effect.gen(function* () {
        yield* Inference.generate("x").pipe(Effect.provide(TestClient.layer()))
        const left = yield* Metric.snapshot
        assert.deepStrictEqual(
          left.filter(({ type }) => type === "Gauge").map(({ id }) => id),
          []
        )
        assert.isNotEmpty(left)
      })
    )
  )

  it.effect("of a deployment can be taken away while the others stay", () =>
    fresh(
      Effect.gen(function* () {
        const state = {
          line: { size: 0 },
          slots: new Slots(),
          own: [],
          health: Health.make()
        }
        const gauges = yield* SchedulerGauges.make(state)
        const ready = (id: string, deployment: Deployment.Deployment): Ready => {
          const account = new Account(id, { rpm: 10 })
          return {
            deployment,
            member: new Member(deployment, 1, new Breaker()),
            connection: {},
            account,
            accounts: [account],
            slots: new Slots(ConcurrencyLimit.fixed(3))
          }
        }
        const [a, b] = yield* Effect.all([
          Deployment.make({ model: "test/model" }, "a"),
          Deployment.make({ model: "test/model" }, "b")
        ])
        const remove = gauges.add(ready("a", a))
        gauges.add(ready("b", b))
        const slots = Effect.map(all(metrics.deploymentSlots.name), (series) =>
          series.map(({ labels, value }) => [labels["infermesh.deployment"], value])
        )
        assert.deepStrictEqual(yield* slots, [
          ["a", 3],
          ["b", 3]
        ])
        remove()
        const left = (yield* Metric.snapshot).flatMap(
          ({ attributes }) => attributes?.["infermesh.deployment"] ?? []
        )
        assert.deepStrictEqual([...new Set(left)], ["b"])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("of two clients are told apart by an attribute where each is built", () =>
    fresh(
      Effect.gen(function* () {
        const held = (name: string, slots: number) =>
          Effect.never.pipe(
            Effect.provide(TestClient.layer({ maxParallelRequests: slots })),
            Effect.provideService(Metric.CurrentMetricAttributes, { client: name })
          )
        const fibers = yield* Effect.forEach([held("a", 1), held("b", 2)], (one) =>
          Effect.forkChild(one, { startImmediately: true })
        )
        assert.strictEqual(yield* gauge(metrics.slots.name, { client: "a" }), 1)
        assert.strictEqual(yield* gauge(metrics.slots.name, { client: "b" }), 2)
        yield* Effect.forEach(fibers, Fiber.interrupt)
      })
    )
  )
})

describe("the line", () => {
  it("counts a caller's waiters over all models", () => {
    const line = new Line()
    for (const group of ["one", "two", "two"]) line.add({ group, caller: "a", share: 1, size: 1 })
    line.add({ group: "one", caller: "b", share: 1, size: 1 })
    assert.deepStrictEqual(line.callers(), [
      { name: "a", waiting: 3 },
      { name: "b", waiting: 1 }
    ])
  })
})

describe("snapshots", () => {
  it.effect("tell who waits, for what and how long", () =>
    fresh(
      Effect.gen(function* () {
        const first = yield* Scheduler.snapshot
        assert.deepStrictEqual(
          [first.waiting, first.callers, first.waitingFor, first.waitMillis],
          [0, [], undefined, undefined]
        )
        yield* Inference.generate("now")
        yield* ask("anonymous")
        yield* Effect.forEach(["b1", "b2"], (text) => ask(text).pipe(Caller.as({ name: "batch" })))
        const snapshot = yield* Scheduler.snapshot
        assert.strictEqual(snapshot.waiting, 3)
        assert.deepStrictEqual(snapshot.callers, [
          { name: "batch", waiting: 2 },
          { name: "", waiting: 1 }
        ])
        assert.strictEqual(snapshot.waitingFor, "rpm")
        assert.isAtLeast(snapshot.waitMillis ?? 0, 60_000)
        yield* TestClock.adjust("10 seconds")
        const later = yield* Scheduler.snapshot
        assert.strictEqual(later.waitMillis, (snapshot.waitMillis ?? 0) - 10_000)
      }).pipe(Effect.provide(TestClient.layer({ limits: { rpm: 1 } })))
    )
  )

  it.effect("say that an attempt must end first, and then nothing of a time", () =>
    fresh(
      Effect.gen(function* () {
        yield* Effect.forEach(["a", "b"], ask)
        const { waitMillis, waitingFor } = yield* Scheduler.snapshot
        assert.deepStrictEqual([waitingFor, waitMillis], ["slots", undefined])
      }).pipe(Effect.provide(TestClient.layer({ maxParallelRequests: 1 }, { latency: "1 hour" })))
    )
  )

  it.effect("tell each deployment: what it is, its health, its use and its limits", () =>
    fresh(
      Effect.gen(function* () {
        yield* Inference.generate("x")
        const { deployments, inFlight, limits, slots } = yield* Scheduler.snapshot
        assert.deepStrictEqual(limits, [])
        assert.deepStrictEqual([slots, inFlight], [Infinity, 0])
        assert.deepStrictEqual(deployments, [
          {
            id: "west",
            label: "west",
            provider: "test",
            model: "large",
            health: "healthy",
            latencyMillis: 0,
            slots: Infinity,
            slotReason: "fixed",
            inFlight: 0,
            limits: [
              {
                name: "tpm",
                limit: 1000,
                used: deployments[0]?.limits[0]?.used ?? NaN,
                learned: false
              },
              { name: "rpm", limit: 50, used: 10, learned: true }
            ]
          }
        ])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            { deployments: { west: { model: "test/large", limits: { tpm: 1000 } } } },
            { reply: () => ({ text: "a", rateLimits }) }
          )
        )
      )
    )
  )

  it.effect("come again after each interval, the first at once", () =>
    fresh(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(
          Scheduler.snapshots("2 seconds").pipe(
            Stream.take(3),
            Stream.map(({ atMillis }) => atMillis),
            Stream.runCollect
          ),
          { startImmediately: true }
        )
        yield* TestClock.adjust("4 seconds")
        assert.deepStrictEqual(yield* Fiber.join(fiber), [0, 2000, 4000])
      }).pipe(Effect.provide(TestClient.layer()))
    )
  )
})
