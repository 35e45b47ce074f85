import { assert, describe, it } from "@effect/vitest"
import * as Fleet from "@infermesh/core/routing/Fleet"
import * as Health from "@infermesh/core/routing/Health"
import type { Member } from "@infermesh/core/routing/Member"
import { Effect, Fiber } from "effect"

import { deployment } from "./Members.ts"

const ids = (members: ReadonlyArray<Member>) => members.map((member) => member.deployment.id)

const end = (member: Member, ticket: number) =>
  member.ended(10, { ticket, latencyMillis: 10, outcome: { _tag: "answered" } })

const withFleet = <A, E>(
  test: (fleet: Fleet.Fleet["Service"]) => Effect.Effect<A, E, Health.Health>
) =>
  Effect.flatMap(Fleet.make([deployment("a"), deployment("b")]), test).pipe(
    Effect.provide(Health.layer)
  )

describe("Fleet", () => {
  it.effect("has its deployments in the order in which they came", () =>
    withFleet((fleet) =>
      Effect.gen(function* () {
        const added = yield* fleet.add(deployment("c"))
        assert.deepStrictEqual(ids(fleet.members()), ["a", "b", "c"])
        assert.strictEqual(fleet.members().at(-1), added)
        assert.isAbove(added.order, fleet.members()[1]?.order ?? Infinity)
      })
    )
  )

  it.effect("gives the same array until something has changed, and tells of each change", () =>
    withFleet((fleet) =>
      Effect.gen(function* () {
        const seen: Array<number> = []
        const stop = fleet.onChange(() => seen.push(fleet.members().length))
        const { version } = fleet
        const before = version()
        const members = fleet.members()
        assert.strictEqual(fleet.members(), members)
        yield* fleet.add(deployment("c"))
        assert.notStrictEqual(fleet.members(), members)
        assert.strictEqual(members.length, 2)
        assert.isAbove(version(), before)
        yield* fleet.drain("c")
        fleet.changed()
        assert.deepStrictEqual(seen, [3, 2, 2])
        stop()
        yield* fleet.add(deployment("d"))
        assert.strictEqual(seen.length, 3)
      })
    )
  )

  it.effect("drains: no new attempts, those in flight end, then the deployment is gone", () =>
    withFleet((fleet) =>
      Effect.gen(function* () {
        const [a] = fleet.members()
        const member = a ?? assert.fail("no member")
        const tickets = [member.started(0), member.started(0)] as const
        const version = fleet.version()
        const draining = yield* Effect.forkChild(fleet.drain("a"), { startImmediately: true })
        assert.deepStrictEqual(ids(fleet.members()), ["b"])
        assert.deepStrictEqual(ids(fleet.draining()), ["a"])
        assert.isTrue(member.draining)
        assert.isAbove(fleet.version(), version)
        assert.strictEqual(member.waitMillis(0), Infinity)
        end(member, tickets[0])
        yield* Effect.yieldNow
        assert.isUndefined(draining.pollUnsafe())
        end(member, tickets[1])
        yield* Fiber.join(draining)
        assert.deepStrictEqual(ids(fleet.draining()), [])
      })
    )
  )

  it.effect("lets a drain that nobody awaits any more end all the same", () =>
    withFleet((fleet) =>
      Effect.gen(function* () {
        const [a] = fleet.members()
        const member = a ?? assert.fail("no member")
        const ticket = member.started(0)
        const draining = yield* Effect.forkChild(fleet.drain("a"), { startImmediately: true })
        yield* Fiber.interrupt(draining)
        assert.deepStrictEqual(ids(fleet.draining()), ["a"])
        end(member, ticket)
        assert.deepStrictEqual(ids(fleet.draining()), [])
      })
    )
  )

  it.effect("lets several await the same drain", () =>
    withFleet((fleet) =>
      Effect.gen(function* () {
        const [a] = fleet.members()
        const member = a ?? assert.fail("no member")
        const ticket = member.started(0)
        const both = yield* Effect.forkChild(
          Effect.all([fleet.drain("a"), fleet.drain("a")], { concurrency: 2 })
        )
        yield* Effect.yieldNow
        end(member, ticket)
        yield* Fiber.join(both)
      })
    )
  )

  it.effect("brings a deployment back with a new load and a clean bill of health", () =>
    withFleet((fleet) =>
      Effect.gen(function* () {
        const [a] = fleet.members()
        const member = a ?? assert.fail("no member")
        for (let index = 0; index < 5; index++) {
          const ticket = member.started(0)
          member.ended(0, {
            ticket,
            latencyMillis: 10,
            outcome: { _tag: "failed", retryAfterMillis: undefined }
          })
        }
        assert.strictEqual(member.waitMillis(0), 5000)
        yield* fleet.drain("a")
        const back = yield* fleet.add(deployment("a"))
        assert.strictEqual(back.waitMillis(0), 0)
        assert.strictEqual(back.load.snapshot(0).started, 0)
        assert.strictEqual(back.hash, member.hash)
      })
    )
  )

  it.effect("refuses a label twice, an unknown one, and no deployment at all", () =>
    withFleet((fleet) =>
      Effect.gen(function* () {
        const message = <A>(
          effect: Effect.Effect<A, { readonly message: string }, Health.Health>
        ) => Effect.map(Effect.flip(effect), (error) => error.message)
        assert.match(yield* message(fleet.add(deployment("a"))), /^deployments\.a: .*used twice/)
        assert.match(yield* message(fleet.drain("x")), /^deployments\.x: .*In service: a, b/)
        assert.match(yield* message(Fleet.make([])), /^deployments: there is none/)
        assert.match(
          yield* message(Fleet.make([deployment("a"), deployment("a")])),
          /^deployments\.a: .*used twice/
        )
        fleet.members()[0]?.started(0)
        yield* Effect.forkChild(fleet.drain("a"), { startImmediately: true })
        assert.match(yield* message(fleet.add(deployment("a"))), /still draining/)
      })
    )
  )

  it.effect("loses no attempt from the count, however it ends", () =>
    withFleet((fleet) =>
      Effect.sync(() => {
        const [a] = fleet.members()
        const member = a ?? assert.fail("no member")
        const outcomes: ReadonlyArray<Health.Outcome> = [
          { _tag: "answered" },
          { _tag: "abandoned" },
          { _tag: "failed", retryAfterMillis: undefined },
          { _tag: "limited", retryAfterMillis: 50 }
        ]
        for (const outcome of outcomes) {
          const ticket = member.started(0)
          assert.strictEqual(member.load.inFlight, 1)
          member.ended(10, { ticket, latencyMillis: 10, outcome })
          assert.strictEqual(member.load.inFlight, 0)
        }
        assert.deepInclude(member.load.snapshot(10), { started: 4, failed: 2 })
        assert.strictEqual(member.waitMillis(10), 50)
      })
    )
  )
})
