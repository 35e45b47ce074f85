import { assert, describe, it } from "@effect/vitest"
import type { HealthState, Outcome } from "@infermesh/core/routing/Breaker"
import { Breaker } from "@infermesh/core/routing/Breaker"
import { Duration } from "effect"
import * as fc from "fast-check"

const answered: Outcome = { _tag: "answered" }
const failed: Outcome = { _tag: "failed", retryAfterMillis: undefined }
const abandoned: Outcome = { _tag: "abandoned" }

/** One attempt that starts and ends at the same time. */
const attempt = (breaker: Breaker, now: number, outcome: Outcome) =>
  breaker.ended(now, outcome, breaker.started(now))

const fail = (breaker: Breaker, now: number, times: number) => {
  for (let index = 0; index < times; index++) attempt(breaker, now, failed)
}

const at = (breaker: Breaker, now: number) => [breaker.state(now), breaker.waitMillis(now)] as const

describe("Breaker", () => {
  it("opens after five failures in a row, probes with one attempt, and doubles its patience", () => {
    const breaker = new Breaker()
    fail(breaker, 0, 4)
    attempt(breaker, 0, answered)
    fail(breaker, 0, 4)
    assert.deepStrictEqual(at(breaker, 0), ["healthy", 0])
    fail(breaker, 0, 1)
    assert.deepStrictEqual(at(breaker, 0), ["open", 5000])
    assert.deepStrictEqual(at(breaker, 5000), ["half-open", 0])
    const probe = breaker.started(5000)
    assert.isAbove(breaker.waitMillis(5000), 0)
    breaker.ended(6000, failed, probe)
    assert.deepStrictEqual(at(breaker, 6000), ["open", 10_000])
    attempt(breaker, 16_000, answered)
    assert.deepStrictEqual(at(breaker, 16_000), ["healthy", 0])
  })

  it("opens when half of the last twenty attempts failed, in whatever order", () => {
    const breaker = new Breaker()
    for (let index = 0; index < 9; index++) {
      attempt(breaker, 0, failed)
      attempt(breaker, 0, answered)
    }
    attempt(breaker, 0, answered)
    attempt(breaker, 0, answered)
    assert.strictEqual(breaker.state(0), "healthy")
    // The oldest of the twenty, a failure, makes room for this one, and the next for another.
    attempt(breaker, 0, failed)
    assert.strictEqual(breaker.state(0), "healthy")
    attempt(breaker, 0, failed)
    assert.strictEqual(breaker.state(0), "open")
  })

  it("takes many attempts that were in flight when it opened for one failure of the deployment", () => {
    const breaker = new Breaker()
    const tickets = Array.from({ length: 100 }, () => breaker.started(0))
    for (const ticket of tickets) breaker.ended(10, failed, ticket)
    assert.deepStrictEqual(at(breaker, 10), ["open", 5000])
  })

  it("is not closed by an old attempt's late answer, nor is a probe ended by it", () => {
    const breaker = new Breaker()
    const old = [breaker.started(0), breaker.started(0)] as const
    fail(breaker, 0, 5)
    breaker.ended(100, answered, old[0])
    assert.strictEqual(breaker.state(100), "open")
    const probe = breaker.started(5000)
    breaker.ended(5100, answered, old[1])
    assert.isAbove(breaker.waitMillis(5100), 0)
    breaker.ended(5200, answered, probe)
    assert.deepStrictEqual(at(breaker, 5200), ["healthy", 0])
  })

  it("lets another attempt probe when the probe was interrupted or rate limited", () => {
    for (const outcome of [abandoned, { _tag: "limited", retryAfterMillis: undefined } as const]) {
      const breaker = new Breaker()
      fail(breaker, 0, 5)
      attempt(breaker, 5000, outcome)
      assert.deepStrictEqual(at(breaker, 5000), ["half-open", 0])
    }
  })

  it("lets another attempt probe when the probe has hung for a minute", () => {
    const breaker = new Breaker()
    fail(breaker, 0, 5)
    const hanging = breaker.started(5000)
    assert.isAbove(breaker.waitMillis(64_999), 0)
    assert.strictEqual(breaker.waitMillis(65_000), 0)
    const second = breaker.started(65_000)
    breaker.ended(66_000, answered, hanging)
    assert.strictEqual(breaker.state(66_000), "half-open")
    breaker.ended(67_000, answered, second)
    assert.strictEqual(breaker.state(67_000), "healthy")
  })

  it("forgets its doubled patience only after it stayed closed for as long as it was open", () => {
    const flapping = new Breaker()
    fail(flapping, 0, 5)
    fail(flapping, 5000, 1)
    attempt(flapping, 15_000, answered)
    fail(flapping, 24_999, 5)
    assert.strictEqual(flapping.waitMillis(24_999), 20_000)
    const recovered = new Breaker()
    fail(recovered, 0, 5)
    fail(recovered, 5000, 1)
    attempt(recovered, 15_000, answered)
    fail(recovered, 25_000, 5)
    assert.strictEqual(recovered.waitMillis(25_000), 5000)
  })

  it("pauses for everybody as long as a Retry-After says, and never shortens a pause", () => {
    const breaker = new Breaker()
    attempt(breaker, 0, { _tag: "limited", retryAfterMillis: 20_000 })
    assert.deepStrictEqual(at(breaker, 5000), ["paused", 15_000])
    attempt(breaker, 5000, { _tag: "limited", retryAfterMillis: 1000 })
    assert.strictEqual(breaker.waitMillis(5000), 15_000)
    attempt(breaker, 5000, { _tag: "limited", retryAfterMillis: 3_600_000 })
    assert.strictEqual(breaker.waitMillis(5000), 60_000)
    const overloaded = new Breaker()
    attempt(overloaded, 0, { _tag: "failed", retryAfterMillis: 7000 })
    assert.deepStrictEqual(at(overloaded, 0), ["paused", 7000])
  })

  it("is kept open by bad checks, and may be probed at once after a good one", () => {
    const breaker = new Breaker()
    fail(breaker, 0, 5)
    breaker.checked(4000, false)
    assert.deepStrictEqual(at(breaker, 5000), ["open", 4000])
    breaker.checked(5000, true)
    assert.deepStrictEqual(at(breaker, 5000), ["half-open", 0])
    breaker.checked(5500, false)
    assert.deepStrictEqual(at(breaker, 5500), ["open", 5000])
  })

  it("opens by bad checks alone, and takes no good check for an answer", () => {
    const breaker = new Breaker()
    for (let index = 0; index < 4; index++) breaker.checked(0, false)
    breaker.checked(0, true)
    assert.strictEqual(breaker.state(0), "healthy")
    breaker.checked(0, false)
    assert.strictEqual(breaker.state(0), "open")
  })
})

interface ModelSettings {
  readonly row: number
  readonly openFor: number
  readonly longestOpen: number
  readonly longestPause: number
}

/** What the breaker should do, written for reading and not for speed: attempts know the state they started in. */
class Model {
  readonly #settings: ModelSettings
  #state:
    | { readonly _tag: "closed"; readonly history: Array<boolean> }
    | {
        readonly _tag: "open"
        until: number
        probe: { readonly attempt: object; readonly since: number } | undefined
      } = { _tag: "closed", history: [] }
  readonly #startedIn = new Map<object, object>()
  #paused = 0
  /** The openings since the doubling was last forgotten. */
  #openings: Array<number> = []
  #closedAt = 0

  constructor(settings: ModelSettings) {
    this.#settings = settings
  }

  #probing(now: number): boolean {
    return (
      this.#state._tag === "open" &&
      this.#state.probe !== undefined &&
      now < this.#state.probe.since + this.#settings.longestOpen
    )
  }

  state(now: number): HealthState {
    if (this.#state._tag === "open") return now < this.#state.until ? "open" : "half-open"
    return now < this.#paused ? "paused" : "healthy"
  }

  wait(now: number): number {
    const reasons = [0, this.#paused - now]
    if (this.#state._tag === "open") reasons.push(this.#state.until - now)
    if (this.state(now) === "half-open" && this.#probing(now)) reasons.push(250)
    return Math.max(...reasons)
  }

  started(now: number): object {
    const attempt = {}
    if (this.#state._tag === "closed") this.#startedIn.set(attempt, this.#state)
    else if (this.state(now) === "half-open" && !this.#probing(now)) {
      this.#state.probe = { attempt, since: now }
      this.#startedIn.set(attempt, this.#state)
    }
    return attempt
  }

  ended(now: number, outcome: Outcome, attempt: object): void {
    if ("retryAfterMillis" in outcome && outcome.retryAfterMillis !== undefined) {
      const pause = Math.min(outcome.retryAfterMillis, this.#settings.longestPause)
      this.#paused = Math.max(this.#paused, now + pause)
    }
    if (this.#startedIn.get(attempt) !== this.#state) return
    if (this.#state._tag === "open") {
      if (this.#state.probe?.attempt !== attempt) return
      this.#state.probe = undefined
      if (outcome._tag === "failed") this.#open(now)
      if (outcome._tag === "answered") {
        this.#state = { _tag: "closed", history: [] }
        this.#closedAt = now
      }
    } else if (outcome._tag === "answered") this.#state.history.push(false)
    else if (outcome._tag === "failed") this.#fail(now, this.#state.history)
  }

  checked(now: number, ok: boolean): void {
    const { longestOpen, openFor } = this.#settings
    if (this.#state._tag === "closed") {
      if (!ok) this.#fail(now, this.#state.history)
    } else if (ok) this.#state.until = Math.min(this.#state.until, now)
    else if (!this.#probing(now)) {
      this.#state.until = Math.max(this.#state.until, now + Math.min(openFor, longestOpen))
    }
  }

  #fail(now: number, history: Array<boolean>): void {
    history.push(true)
    const last = history.slice(-20)
    const inARow = history.length - 1 - history.lastIndexOf(false)
    const share = last.length === 20 && last.filter(Boolean).length >= 10
    if (inARow < this.#settings.row && !share) return
    if (now >= this.#closedAt + (this.#openings.at(-1) ?? 0)) this.#openings = []
    this.#open(now)
  }

  #open(now: number): void {
    const { longestOpen, openFor } = this.#settings
    const length = Math.min(openFor * 2 ** this.#openings.length, longestOpen)
    this.#openings.push(length)
    this.#state = { _tag: "open", until: now + length, probe: undefined }
  }
}

const anOutcome = fc.oneof(
  { weight: 3, arbitrary: fc.constant(answered) },
  { weight: 6, arbitrary: fc.constant(failed) },
  { weight: 1, arbitrary: fc.constant(abandoned) },
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: fc.constantFrom("limited" as const, "failed" as const),
      retryAfterMillis: fc.option(fc.nat(200_000), { nil: undefined })
    })
  }
)

const aStep = fc.oneof(
  fc.record({ kind: fc.constant("wait" as const), millis: fc.nat(20_000) }),
  fc.record({ kind: fc.constant("start" as const) }),
  fc.record({ kind: fc.constant("end" as const), which: fc.nat(), outcome: anOutcome }),
  fc.record({ kind: fc.constant("attempt" as const), outcome: anOutcome }),
  fc.record({ kind: fc.constant("check" as const), ok: fc.boolean() })
)

const someSettings = fc.record({
  row: fc.integer({ min: 1, max: 6 }),
  openFor: fc.integer({ min: 1, max: 20_000 }),
  longestOpen: fc.integer({ min: 1, max: 60_000 }),
  longestPause: fc.integer({ min: 1, max: 60_000 })
})

describe("the state machine", () => {
  it("does in every history what the model does, and never keeps an idle deployment out for longer than allowed", () => {
    fc.assert(
      fc.property(someSettings, fc.array(aStep, { maxLength: 120 }), (settings, steps) => {
        const breaker = new Breaker({
          failuresInARow: settings.row,
          openFor: Duration.millis(settings.openFor),
          longestOpen: Duration.millis(settings.longestOpen),
          longestPause: Duration.millis(settings.longestPause)
        })
        const model = new Model(settings)
        const inFlight: Array<readonly [number, object]> = []
        let now = 0
        const end = (index: number, outcome: Outcome) => {
          const [ending] = inFlight.splice(index, 1)
          if (ending === undefined) return
          breaker.ended(now, outcome, ending[0])
          model.ended(now, outcome, ending[1])
        }
        const start = () => inFlight.push([breaker.started(now), model.started(now)])
        for (const step of steps) {
          if (step.kind === "wait") now += step.millis
          else if (step.kind === "start") start()
          else if (step.kind === "end") end(step.which % Math.max(1, inFlight.length), step.outcome)
          else if (step.kind === "attempt") end(start() - 1, step.outcome)
          else {
            breaker.checked(now, step.ok)
            model.checked(now, step.ok)
          }
          assert.strictEqual(breaker.state(now), model.state(now))
          assert.strictEqual(breaker.waitMillis(now), model.wait(now))
          const longest = Math.max(settings.longestOpen, settings.longestPause, 250)
          assert.isAtMost(breaker.waitMillis(now), longest)
        }
        while (inFlight.length > 0) end(0, abandoned)
        const longest = Math.max(settings.longestOpen, settings.longestPause)
        assert.strictEqual(breaker.waitMillis(now + longest), 0)
      }),
      { numRuns: 2000 }
    )
  })
})
