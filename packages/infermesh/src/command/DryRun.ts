/**
 * What a job would do: its rows counted, and the requests of the first of them. Nothing is sent and nothing is written.
 *
 * The requests are those of the real client and its providers, held at the last moment. What a resume would refuse (other settings,
 * another input) is not looked at.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Client from "@infermesh/core/Client"
import type { ClientSettings } from "@infermesh/core/ClientSettings"
import { Inference } from "@infermesh/core/Inference"
import * as Job from "@infermesh/job/Job"
import type { JobError } from "@infermesh/job/JobError"
import { because, OutputExists } from "@infermesh/job/JobError"
import type { Line } from "@infermesh/job/Jsonl"
import type { State } from "@infermesh/job/Ledger"
import { Ledger } from "@infermesh/job/Ledger"
import * as Mappers from "@infermesh/job/Mapper"
import type { SettledRow } from "@infermesh/job/operation/SettledRow"
import * as Outputs from "@infermesh/job/Output"
import * as Providers from "@infermesh/providers/Providers"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import * as Prices from "../Prices.ts"
import * as RowSink from "../RowSink.ts"
import * as Terminal from "../Terminal.ts"
import type { Prepared } from "./JobRunner.ts"

/** Rows whose requests are shown. */
const shownRows = 3

/**
 * Prints what a job would do.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function* <I, O, Row extends SettledRow>(
  prepared: Prepared<I, O, Row>
) {
  const before = yield* jobBefore(prepared)
  const first: Array<{ readonly line: Line; readonly mapped: Mappers.Mapped<I, O> }> = []
  let [rows, unusable] = [0, 0]
  let firstProblem = ""
  yield* Stream.runForEach(prepared.input.lines, (line) =>
    Effect.map(map(prepared, line), (mapped) => {
      rows++
      if (Result.isSuccess(mapped)) {
        if (first.length < shownRows) first.push({ line, mapped: mapped.success })
      } else if (unusable++ === 0) firstProblem = `line ${line.line}: ${mapped.failure}`
    })
  )
  const settled = before === undefined ? 0 : before.answered + before.failed
  const retried = before === undefined ? 0 : retriedOf(before, prepared.retryFailed)
  const pending = Math.max(0, rows - settled + retried)
  const limit = Option.getOrUndefined(prepared.given.limit) ?? pending
  const table: ReadonlyArray<readonly [string, string]> = [
    ["rows", String(rows)],
    ...(unusable === 0
      ? []
      : [["unusable", `${unusable} (the first in ${firstProblem})`] as const]),
    ...(before === undefined
      ? []
      : [
          [
            "settled",
            `${before.answered} answered, ${before.failed} failed, ${retried} of which are asked again`
          ] as const
        ]),
    ["to do", `${Math.min(limit, pending)} in this run`],
    ["output", Option.getOrElse(prepared.given.outputJsonl, () => "standard output")]
  ]
  const width = Math.max(...table.map(([name]) => name.length))
  for (const [name, value] of table) yield* Terminal.print(`${name.padEnd(width)}  ${value}`)
  for (const { line, mapped } of first) {
    const request = yield* requestOf(prepared, mapped)
    yield* Terminal.print(`\nrow ${line.index} (line ${line.line})\n${request}`)
  }
})

const map = <I, O, Row extends SettledRow>(
  { mapper, operation }: Prepared<I, O, Row>,
  { row }: Line
): Effect.Effect<Result.Result<Mappers.Mapped<I, O>, string>> => {
  if (Result.isFailure(row)) return Effect.succeed(Result.fail(row.failure))
  return mapper === undefined
    ? Effect.succeed(Result.map(operation.read(row.success), (input) => ({ input })))
    : Mappers.apply(mapper.mapper, row.success)
}

/** The state of the output's job, where there is one that would be resumed. */
const jobBefore = Effect.fnUntraced(function* <I, O, Row extends SettledRow>({
  given,
  retryFailed
}: Prepared<I, O, Row>): Effect.fn.Return<
  State | undefined,
  JobError | Effect.Error<ReturnType<typeof RowSink.checkpointDirectoryOf>>,
  Ledger | Effect.Services<ReturnType<typeof Outputs.paths>>
> {
  if (Option.isNone(given.outputJsonl) || given.overwrite) return undefined
  const path = given.outputJsonl.value
  const checkpointDirectory = yield* RowSink.checkpointDirectoryOf(given.checkpointDir)
  const paths = yield* Outputs.paths({ path, checkpointDirectory })
  const hasLedger = yield* (yield* Ledger).exists(paths.ledger)
  if (retryFailed === undefined) {
    return hasLedger || paths.isThere ? yield* because(new OutputExists({ path })) : undefined
  }
  return hasLedger ? (yield* Job.look({ path, checkpointDirectory })).state : undefined
})

const retriedOf = (
  { failed, failures }: State,
  retryFailed: true | ReadonlyArray<string> | undefined
): number => {
  if (retryFailed === undefined) return 0
  if (retryFailed === true) return failed
  return retryFailed.reduce((sum, reason) => sum + (failures[reason] ?? 0), 0)
}

/** The request of a row, or what is wrong with it. */
const requestOf = Effect.fnUntraced(function* <I, O, Row extends SettledRow>(
  { operation, settings }: Prepared<I, O, Row>,
  { input, options }: Mappers.Mapped<I, O>
) {
  const held = yield* Deferred.make<string>()
  const http = HttpClient.make((request) =>
    Effect.andThen(Deferred.succeed(held, textOf(request)), Effect.never)
  )
  const client = Client.layer(withoutLimits(settings)).pipe(
    Layer.provide(Providers.layer.pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, http)))),
    Layer.provide(Prices.layer),
    Layer.provide(NodeFileSystem.layer)
  )
  const asked = Effect.flatMap(Inference, (inference) =>
    operation.ask(inference, [{ index: 0, input, options: options ?? undefined }])
  )
  return yield* Effect.raceFirst(
    Effect.map(asked, ([row]) => `cannot be asked: ${row?.error ?? "the operation gave no row"}`),
    Deferred.await(held)
  ).pipe(Effect.provide(client))
})

/** Nothing is used, so nothing is waited for. */
const withoutLimits = (settings: ClientSettings): ClientSettings => ({
  ...settings,
  limits: undefined,
  quotas: undefined,
  budget: undefined,
  healthCheck: undefined,
  deployments:
    settings.deployments === undefined
      ? undefined
      : Object.fromEntries(
          Object.entries(settings.deployments).map(([label, deployment]) => [
            label,
            { ...deployment, limits: undefined, quotaKeys: undefined }
          ])
        )
})

const textOf = ({ body, method, url }: HttpClientRequest.HttpClientRequest): string => {
  const head = `${method} ${url}`
  switch (body._tag) {
    case "Uint8Array":
      return `${head}\n${new TextDecoder().decode(body.body)}`
    case "Stream":
      return `${head}\n(${body.contentType}, sent as it is read)`
    default:
      return head
  }
}
