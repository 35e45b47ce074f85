/**
 * `infermesh simulate`: servers that speak the providers' formats, with quotas, latency and faults of one's choosing.
 *
 * @since 0.1.0
 */
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

import { CannotRun, traced } from "../ExitCode.ts"
import * as SimulatorServer from "../simulator/SimulatorServer.ts"
import * as Terminal from "../Terminal.ts"

const positive = Schema.Int.check(Schema.isGreaterThan(0))

const flags = {
  port: Flag.Int("port").pipe(
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
    Flag.withDescription("Port of the first replica; default 0, any free ones"),
    Flag.withDefault(0)
  ),
  host: Flag.String("host").pipe(
    Flag.withDescription("Address to listen on; default 127.0.0.1"),
    Flag.withDefault("127.0.0.1")
  ),
  replicas: Flag.Int("replicas").pipe(
    Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }))),
    Flag.withDescription("How many servers; default 1"),
    Flag.withDefault(1)
  ),
  rpm: Flag.Int("rpm").pipe(
    Flag.withSchema(positive),
    Flag.withDescription("Requests per minute that each allows"),
    Flag.optional
  ),
  tpm: Flag.Int("tpm").pipe(
    Flag.withSchema(positive),
    Flag.withDescription("Tokens per minute that each allows"),
    Flag.optional
  ),
  faults: Flag.Finite("faults").pipe(
    Flag.withSchema(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
    Flag.withDescription(
      "Share of requests that fail, from 0 to 1, spread over 429, 500, 503, resets and cut bodies"
    ),
    Flag.withDefault(0)
  ),
  latencyMillis: Flag.Finite("latency-ms").pipe(
    Flag.withSchema(Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))),
    Flag.withDescription("Median time to an answer, in milliseconds; default 0"),
    Flag.withDefault(0)
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withDescription("Answers, latencies and faults are the same for the same seed"),
    Flag.withDefault(0)
  )
}

/** The kinds among which `--faults` is spread evenly. */
const kinds = ["rateLimited", "internal", "unavailable", "reset", "truncated"] as const

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "simulate",
  flags,
  Effect.fnUntraced(
    function* (given) {
      for (let replica = 0; replica < given.replicas; replica++) {
        const { rpm, tpm } = given
        const quota =
          Option.isNone(rpm) && Option.isNone(tpm)
            ? {}
            : { quota: { ...Option.match(rpm, named("rpm")), ...Option.match(tpm, named("tpm")) } }
        const simulator = yield* Simulator.make({
          seed: given.seed + replica,
          ...quota,
          ...(given.latencyMillis > 0
            ? {
                latency: {
                  kind: "lognormal" as const,
                  medianMillis: given.latencyMillis,
                  sigma: 0.4
                }
              }
            : {}),
          faults: Object.fromEntries(kinds.map((kind) => [kind, given.faults / kinds.length]))
        })
        const port = given.port === 0 ? 0 : given.port + replica
        const { url } = yield* SimulatorServer.serve({ simulator, host: given.host, port })
        yield* Terminal.print(`${url}/v1`)
      }
      yield* Terminal.say("Simulating; end with Ctrl-C.")
      return yield* Effect.never
    },
    Effect.scoped,
    traced,
    Effect.catchTag(["SettingsError", "SimulatorServerError"], (error) =>
      Effect.fail(new CannotRun({ message: error.message }))
    )
  )
).pipe(
  Command.withDescription("Start simulated providers and print their base URLs"),
  Command.withExamples([
    {
      command: "infermesh simulate --replicas 2 --rpm 600 --latency-ms 500 --faults 0.05",
      description: "Two servers that allow 600 requests a minute each and fail now and then"
    }
  ])
)

const named = (name: "rpm" | "tpm") => ({
  onNone: () => ({}),
  onSome: (value: number) => ({ [name]: value })
})
