/**
 * The work of `infermesh status`.
 *
 * @since 0.1.0
 */
import * as Job from "@infermesh/job/Job"
import * as LedgerSqlite from "@infermesh/job/LedgerSqlite"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

import { CannotRun, traced } from "../ExitCode.ts"
import * as JobStatus from "../JobStatus.ts"
import * as Terminal from "../Terminal.ts"
import type { StatusFlags } from "./Status.ts"

/**
 * Looks into the ledger of a job, without being in its way.
 *
 * **Errors**: `CannotRun` where there is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const look = ({ checkpointDir, output }: StatusFlags) =>
  Effect.gen(function* () {
    const variable = yield* Config.option(Config.String("INFERMESH_CHECKPOINT_DIR"))
    const folder = Option.orElse(checkpointDir, () => variable)
    return yield* Job.look({ path: output, checkpointDirectory: Option.getOrUndefined(folder) })
  }).pipe(
    Effect.catchTag(["JobError", "ConfigError"], ({ message }) =>
      Effect.fail(
        new CannotRun({
          message: `${message}. Give the job's output, and --checkpoint-dir where its ledger is elsewhere`
        })
      )
    ),
    Effect.provide(LedgerSqlite.layer)
  )

/**
 * Runs the command.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = (given: StatusFlags) =>
  Effect.flatMap(look(given), (overview) =>
    Terminal.show(JobStatus.status(overview, given.output))
  ).pipe(traced)
