/** The scenarios, each with what it is about. */
import * as Arrivals from "./Arrivals.ts"
import type { Replica, Scenario } from "./Scenario.ts"

const latency = { kind: "lognormal", medianMillis: 400, sigma: 0.5, maxMillis: 5000 } as const
const rpm = 300
const limits = { rpm }

const replica = (server: Replica["server"] = {}, more: Omit<Replica, "server"> = {}): Replica => ({
  ...more,
  server: { latency, quota: { rpm }, ...server }
})

const many = Arrivals.numbered(Arrivals.atOnce(1200))
const overload = (perSecond: number, seed: number) =>
  Arrivals.numbered(Arrivals.poisson({ perSecond, seconds: 150, seed }))

/** What a replica does in the second minute. */
const inSecondMinute = (spell: NonNullable<Replica["spells"]>[number]["spell"]) => ({
  spells: [{ from: 60, until: 120, spell }]
})

export const scenarios: ReadonlyArray<Scenario> = [
  {
    name: "sliding window",
    what: "1,200 requests at once; the server counts the last minute",
    replicas: { a: replica() },
    requests: many,
    maxTokens: 64,
    limits,
    saturates: "requests"
  },
  {
    name: "fixed window",
    what: "6 requests a second for 2.5 minutes, a fifth more than allowed; the server counts by the clock's minutes",
    replicas: { a: replica({ quota: { rpm, enforcement: "fixed-window" } }) },
    requests: overload(6, 1),
    maxTokens: 64,
    limits,
    saturates: "requests"
  },
  {
    name: "token bucket",
    what: "1,200 requests at once; the server refills a bucket that holds a minute's requests",
    replicas: { a: replica({ quota: { rpm, enforcement: "token-bucket" } }) },
    requests: many,
    maxTokens: 64,
    limits: { rpm, enforcement: "token-bucket" },
    saturates: "requests"
  },
  {
    name: "by the second",
    what: "1,200 requests at once; the server's bucket holds no more than a second's requests",
    replicas: { a: replica({ quota: { rpm, enforcement: "token-bucket", burst: 1 / 60 } }) },
    requests: many,
    maxTokens: 64,
    limits: { rpm, maxRequestBurst: 5 },
    saturates: "requests"
  },
  {
    name: "tokens",
    what: "1,000 requests at once, every tenth twenty times as long; tokens are what runs out",
    replicas: {
      a: replica({ quota: { rpm: 600, tpm: 30_000, enforcement: "token-bucket" } })
    },
    requests: Arrivals.numbered(Arrivals.withLarge(Arrivals.atOnce(1000), 10, 400)),
    maxTokens: 64,
    limits: { rpm: 600, tpm: 30_000, enforcement: "token-bucket" },
    saturates: "tokens"
  },
  {
    name: "Anthropic",
    what: "1,000 requests at once to the Messages API; requests, input tokens and output tokens each have a limit",
    vendor: "anthropic",
    replicas: {
      a: replica({
        quota: { rpm: 350, itpm: 9_000, otpm: 20_000, enforcement: "token-bucket" },
        faults: { overloaded: 0.01 }
      })
    },
    requests: Arrivals.numbered(Arrivals.atOnce(1000)),
    maxTokens: 64,
    limits: { rpm: 350, itpm: 9_000, otpm: 20_000, enforcement: "token-bucket" },
    saturates: "tokens"
  },
  {
    name: "bursts",
    what: "150 requests at once, every half minute; on average as many as allowed",
    replicas: { a: replica() },
    requests: Arrivals.numbered(Arrivals.bursts({ count: 150, everySeconds: 30, times: 6 })),
    maxTokens: 64,
    limits
  },
  {
    name: "batch and chat",
    what: "A batch of 750 requests, and a chat of priority 1 with one request a second",
    replicas: { a: replica() },
    requests: Arrivals.numbered(
      Arrivals.atOnce(750),
      Arrivals.poisson({ perSecond: 1, seconds: 120, seed: 2, caller: "chat" })
    ),
    maxTokens: 64,
    limits: { rpm, maxRequestBurst: 5 },
    callers: [{ name: "batch" }, { name: "chat", priority: 1 }],
    saturates: "requests"
  },
  {
    name: "four callers",
    what: "Four callers with 600, 300, 150 and 150 requests at once",
    replicas: { a: replica() },
    requests: Arrivals.numbered(
      Arrivals.atOnce(600, "first"),
      Arrivals.atOnce(300, "second"),
      Arrivals.atOnce(150, "third"),
      Arrivals.atOnce(150, "fourth")
    ),
    maxTokens: 64,
    limits,
    callers: ["first", "second", "third", "fourth"].map((name) => ({ name })),
    saturates: "requests"
  },
  {
    name: "one of three dies",
    what: "Three replicas, 7 requests a second; one refuses connections in the second minute",
    replicas: { a: replica(), b: replica({}, inSecondMinute({ kind: "down" })), c: replica() },
    requests: overload(7, 3),
    maxTokens: 64,
    limits
  },
  {
    name: "one of two is slow",
    what: "Two replicas, 6 requests a second; one takes ten times as long in the second minute",
    replicas: { a: replica(), b: replica({}, inSecondMinute({ kind: "slow", factor: 10 })) },
    requests: overload(6, 4),
    maxTokens: 64,
    limits
  },
  {
    name: "one of two flaps",
    what: "Two replicas, 4 requests a second; one refuses connections for ten seconds of every twenty",
    replicas: {
      a: replica(),
      b: replica(
        {},
        {
          spells: Array.from({ length: 8 }, (_, turn) => ({
            from: 10 + 20 * turn,
            until: 20 + 20 * turn,
            spell: { kind: "down" as const }
          }))
        }
      )
    },
    requests: overload(4, 5),
    maxTokens: 64,
    limits
  },
  {
    name: "headers lie",
    what: "Two replicas, 6 requests a second; the headers of one say that much is left, those of the other too little",
    replicas: {
      a: replica(
        {},
        {
          spells: [
            {
              from: 0,
              until: 1e6,
              spell: {
                kind: "lying",
                headers: {
                  "x-ratelimit-limit-requests": "100000",
                  "x-ratelimit-remaining-requests": "99999",
                  "x-ratelimit-reset-requests": "0s"
                }
              }
            }
          ]
        }
      ),
      b: replica(
        {},
        inSecondMinute({
          kind: "lying",
          headers: {
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": "1s"
          }
        })
      )
    },
    requests: overload(6, 6),
    maxTokens: 64,
    limits
  },
  {
    name: "faults",
    what: "1,800 requests at once, two replicas; one in twenty attempts fails, a fifth of those with a 429 that no quota explains",
    replicas: Object.fromEntries(
      ["a", "b"].map((name, index) => [
        name,
        replica({
          seed: index,
          faults: {
            rateLimited: 0.01,
            internal: 0.01,
            unavailable: 0.01,
            reset: 0.01,
            truncated: 0.01
          }
        })
      ])
    ),
    requests: Arrivals.numbered(Arrivals.atOnce(1800)),
    maxTokens: 64,
    limits,
    saturates: "requests"
  },
  {
    name: "vLLM",
    what: "A server without a quota whose answers take longer the more it works on; 40 requests a second for half a minute",
    replicas: {
      a: replica(
        { quota: undefined, latency: { kind: "constant", millis: 300 } },
        { millisPerInFlight: 10 }
      )
    },
    requests: Arrivals.numbered(Arrivals.poisson({ perSecond: 40, seconds: 30, seed: 7 })),
    maxTokens: 64,
    settings: { maxParallelRequests: { adaptive: {} } }
  },
  {
    name: "nothing is known",
    what: "1,200 requests at once; nobody has told the client of any limit, and it learns from headers",
    replicas: { a: replica({ quota: { rpm, enforcement: "token-bucket" } }) },
    requests: many,
    maxTokens: 64
  }
]

/** Ten thousand requests at 500 a minute, storms of 429s, and half of the replicas gone from the third to the tenth minute. */
export const tenThousand: Scenario = {
  name: "ten thousand",
  what: "10,000 requests at once, four replicas of 125 a minute; storms of 429s, and two replicas dead from minute 2 to minute 10",
  replicas: Object.fromEntries(
    ["a", "b", "c", "d"].map((name, index) => [
      name,
      {
        server: {
          seed: index,
          latency,
          quota: { rpm: 125 },
          faults: { rateLimited: 0.03, unavailable: 0.01 },
          retryAfterMillis: 2000
        },
        ...(index < 2 ? {} : { spells: [{ from: 120, until: 600, spell: { kind: "down" } }] })
      } satisfies Replica
    ])
  ),
  requests: Arrivals.numbered(Arrivals.atOnce(10_000)),
  maxTokens: 64,
  limits: { rpm: 125 }
}
