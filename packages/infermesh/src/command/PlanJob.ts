/**
 * The work of `infermesh plan`.
 *
 * @since 0.1.0
 */
import type { GenerateInput } from "@infermesh/core/operation/Generate"
import * as Input from "@infermesh/job/Input"
import * as Job from "@infermesh/job/Job"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import * as AppLayer from "../AppLayer.ts"
import { CannotRun, toFailure, traced, WrongUsage } from "../ExitCode.ts"
import * as Forecast from "../plan/Forecast.ts"
import * as Rehearsal from "../plan/Rehearsal.ts"
import * as Terminal from "../Terminal.ts"
import type { PlanFlags } from "./Plan.ts"

/**
 * Runs the command.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = (given: PlanFlags) =>
  Effect.gen(function* () {
    const { answerSeconds, answerTokens, sample } = given
    if (answerTokens < 1 || answerSeconds < 0 || sample < 1) {
      return yield* new WrongUsage({
        message: "--answer-tokens and --sample are at least 1, and --answer-seconds at least 0"
      })
    }
    const environment = yield* AppLayer.environment(given.envFile)
    const settings = yield* Effect.provide(
      AppLayer.settings(given),
      ConfigProvider.layer(environment)
    )
    const { inputs, rows, unusable } = yield* rowsOf(given.input, sample)
    const rehearsed = yield* Rehearsal.run({
      settings,
      inputs,
      concurrency: given.maxParallelRequests,
      maxTokens: given.maxTokens._tag === "Some" ? given.maxTokens.value : undefined,
      answerTokens,
      answerMillis: answerSeconds * 1000
    })
    yield* Terminal.show(
      Forecast.say({ rehearsed, rows, unusable, answerTokens, answerMillis: answerSeconds * 1000 })
    )
  }).pipe(
    traced,
    Effect.catchTag("SettingsError", ({ message }) => Effect.fail(new CannotRun({ message }))),
    Effect.catchTag("JobError", (error) => Effect.fail(toFailure(error)))
  )

/** Rows evenly out of the whole file: it may be sorted by length. */
const rowsOf = Effect.fnUntraced(function* (path: string, sample: number) {
  const input = yield* Input.file(path)
  const { read } = Job.generate()
  const total = input.count === undefined ? 0 : yield* input.count
  const every = Math.max(1, Math.ceil(total / sample))
  const inputs: Array<GenerateInput> = []
  let [rows, unusable] = [0, 0]
  yield* Stream.runForEach(input.lines, ({ row }) =>
    Effect.sync(() => {
      const number = rows++
      const asked = Result.flatMap(row, read)
      if (Result.isFailure(asked)) unusable++
      else if (number % every === 0) inputs.push(asked.success)
    })
  )
  return { inputs, rows, unusable }
})
