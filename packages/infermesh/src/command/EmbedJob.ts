/**
 * The work of `infermesh embed`.
 *
 * @since 0.1.0
 */
import * as Job from "@infermesh/job/Job"
import { because } from "@infermesh/job/JobError"
import * as Matrix from "@infermesh/job/output/Matrix"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

import { WrongUsage } from "../ExitCode.ts"
import type { EmbedFlags } from "./Embed.ts"
import * as JobRunner from "./JobRunner.ts"
import * as OperationOptions from "./OperationOptions.ts"

/**
 * Runs the command.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = (given: EmbedFlags) =>
  JobRunner.run(
    given,
    Effect.gen(function* () {
      const [operand] = given.operands
      if (operand !== undefined) {
        return yield* new WrongUsage({
          message: `'${operand}' is not expected; a text is given with --text`
        })
      }
      return {
        inline: Option.toArray(Option.map(given.text, (text) => ({ text }))),
        inlineFlag: "--text",
        operation: yield* Job.embed({
          options: yield* OperationOptions.embed(given),
          microBatchSize: Option.getOrUndefined(given.microBatchSize),
          maxTokensPerRequest: Option.getOrUndefined(given.maxTokensPerRequest),
          vectors: given.noVectors ? false : undefined
        }),
        beside: yield* matrixOf(given)
      }
    })
  )

const matrixOf = Effect.fnUntraced(function* (given: EmbedFlags) {
  if (Option.isNone(given.outputNpy)) return undefined
  if (given.noVectors) {
    return yield* new WrongUsage({
      message: "--output-npy: with --no-vectors there is nothing to put into it; drop one of them"
    })
  }
  if (Option.isNone(given.outputJsonl)) {
    return yield* new WrongUsage({
      message: "--output-npy: give --output-jsonl, too: its rows say which vector is whose"
    })
  }
  const path = given.outputNpy.value
  const fault = Matrix.pathFault(path)
  return fault === undefined ? Matrix.matrix(path) : yield* because(fault)
})
