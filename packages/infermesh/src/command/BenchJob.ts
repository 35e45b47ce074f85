/**
 * The work of `infermesh bench`.
 *
 * @since 0.1.0
 */
import * as Inference from "@infermesh/core/Inference"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

import * as AppLayer from "../AppLayer.ts"
import type { Ask, LoadOptions } from "../benchmark/Load.ts"
import * as Load from "../benchmark/Load.ts"
import type { Step, Sweep } from "../benchmark/Sweep.ts"
import * as Sweeps from "../benchmark/Sweep.ts"
import { CannotRun, traced, WrongUsage } from "../ExitCode.ts"
import * as Infermesh from "../Infermesh.ts"
import * as Terminal from "../Terminal.ts"
import type { EmbedFlags, GenerateFlags } from "./Bench.ts"
import * as OperationOptions from "./OperationOptions.ts"

/**
 * Runs `bench generate`.
 *
 * @category commands
 * @since 0.1.0
 */
export const generate = (given: GenerateFlags) =>
  sweep(given, {
    name: "concurrency",
    flag: "--concurrency",
    settings: given.concurrency,
    unit: "requests",
    workers: (setting) => setting,
    ask: () =>
      Effect.map(
        OperationOptions.generate({ ...given, ...asItComes }),
        (options): Ask<Inference.Inference> => Inference.generate(given.prompt, options)
      )
  })

/**
 * Runs `bench embed`.
 *
 * @category commands
 * @since 0.1.0
 */
export const embed = (given: EmbedFlags) =>
  sweep(given, {
    name: "texts a request",
    flag: "--micro-batch-size",
    settings: given.microBatchSize,
    unit: "texts",
    workers: () => given.concurrency,
    ask: (setting) =>
      Effect.map(
        OperationOptions.embed({ ...given, dimensions: Option.none() }),
        (options): Ask<Inference.Inference> =>
          Inference.embed(
            Array.from({ length: setting }, (_, index) => `${given.text} (${index})`),
            options
          )
      )
  })

/** What is not swept and not given. */
const asItComes = {
  endpoint: "chat_completion",
  temperature: Option.none(),
  topP: Option.none(),
  stop: [],
  seed: Option.none(),
  system: Option.none(),
  schema: Option.none(),
  parseJson: false
} as const

interface Subject {
  readonly name: string
  readonly flag: string
  readonly settings: string
  readonly unit: Sweep["unit"]
  readonly workers: (setting: number) => number
  readonly ask: (
    setting: number
  ) => Effect.Effect<Ask<Inference.Inference>, WrongUsage | CannotRun, FileSystem.FileSystem>
}

const sweep = (given: GenerateFlags | EmbedFlags, subject: Subject) =>
  Effect.gen(function* () {
    const settings = yield* numbers(subject.flag, subject.settings)
    const load = yield* loadOf(given)
    const most = Math.max(...settings.map(subject.workers))
    const environment = yield* AppLayer.environment(given.envFile)
    const client = yield* AppLayer.settings({ ...given, maxParallelRequests: most }).pipe(
      Effect.provide(ConfigProvider.layer(environment))
    )
    // Requests that come on time are not held back by slots: that they wait is what is measured.
    const layer = Infermesh.layer(
      Option.isSome(given.rate) ? { ...client, maxParallelRequests: undefined } : client
    )
    const measured = yield* Effect.forEach(settings, (setting) =>
      Effect.gen(function* () {
        const ask = yield* subject.ask(setting)
        const arrivals = (): LoadOptions["arrivals"] =>
          Option.match(given.rate, {
            onNone: () => ({ _tag: "Closed", workers: subject.workers(setting) }),
            onSome: (perSecond) => ({ _tag: "Open", perSecond })
          })
        if (given.warmUp > 0) {
          yield* Load.run(ask, {
            requests: given.warmUp,
            durationMillis: Infinity,
            arrivals: { _tag: "Closed", workers: subject.workers(setting) }
          })
        }
        const step: Step = {
          setting,
          measured: yield* Load.run(ask, { ...load, arrivals: arrivals() })
        }
        yield* Terminal.say(`${subject.name} ${setting}: done`)
        return step
      })
    ).pipe(Effect.provide(Layer.provideMerge(layer, ConfigProvider.layer(environment))))
    yield* tell(given, { name: subject.name, unit: subject.unit, steps: measured })
  }).pipe(
    traced,
    Effect.catchTag("SettingsError", ({ message }) => Effect.fail(new CannotRun({ message })))
  )

const tell = Effect.fnUntraced(function* (given: GenerateFlags | EmbedFlags, found: Sweep) {
  const said = Sweeps.say(found)
  const model = Option.getOrElse(given.model, () => "the deployments' model")
  yield* write(
    given.outputJson,
    "--output-json",
    () => `${JSON.stringify(said.data, undefined, 2)}\n`
  )
  yield* write(given.outputHtml, "--output-html", () => Sweeps.page(found, model))
  yield* Terminal.show(said)
})

const write = Effect.fnUntraced(function* (
  path: Option.Option<string>,
  flag: string,
  content: () => string
) {
  if (Option.isNone(path)) return
  const fileSystem = yield* FileSystem.FileSystem
  yield* Effect.mapError(
    fileSystem.writeFileString(path.value, content()),
    ({ message }) =>
      new CannotRun({ message: `${path.value}: ${message}. Give ${flag} another file` })
  )
})

const numbers = (flag: string, text: string): Effect.Effect<ReadonlyArray<number>, WrongUsage> => {
  const all = text.split(",").map(Number)
  return all.every((one) => Number.isInteger(one) && one >= 1)
    ? Effect.succeed(all)
    : Effect.fail(
        new WrongUsage({ message: `${flag}: '${text}' is no list of whole numbers; write 1,2,4,8` })
      )
}

const loadOf = Effect.fnUntraced(function* (
  given: GenerateFlags | EmbedFlags
): Effect.fn.Return<Omit<LoadOptions, "arrivals">, WrongUsage> {
  if (given.requests < 1 || given.warmUp < 0) {
    return yield* new WrongUsage({ message: "--requests is at least 1, and --warm-up at least 0" })
  }
  if (Option.isSome(given.rate) && given.rate.value <= 0) {
    return yield* new WrongUsage({ message: "--rate: give a number above 0, such as 20" })
  }
  const duration = yield* AppLayer.time("--duration", given.duration)
  return duration === undefined
    ? { requests: given.requests, durationMillis: Infinity }
    : { requests: Infinity, durationMillis: Duration.toMillis(duration) }
})
