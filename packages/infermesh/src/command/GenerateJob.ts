/**
 * The work of `infermesh generate`.
 *
 * @since 0.1.0
 */
import * as Job from "@infermesh/job/Job"
import type { OutputRow } from "@infermesh/job/operation/GenerateRow"
import type { Operation } from "@infermesh/job/operation/Operation"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

import { WrongUsage } from "../ExitCode.ts"
import type { GenerateFlags } from "./Generate.ts"
import * as JobRunner from "./JobRunner.ts"
import * as OperationOptions from "./OperationOptions.ts"

/**
 * Runs the command.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = (given: GenerateFlags) =>
  JobRunner.run(
    given,
    Effect.gen(function* () {
      const [operand] = given.operands
      if (operand !== undefined) {
        return yield* new WrongUsage({
          message: `'${operand}' is not expected; a prompt is given with --prompt`
        })
      }
      const options = yield* OperationOptions.generate(given)
      const operation = Job.generate({ options, system: Option.getOrUndefined(given.system) })
      return {
        inline: Option.toArray(Option.map(given.prompt, (prompt) => ({ prompt }))),
        inlineFlag: "--prompt",
        operation: given.parseJson ? withParsedText(operation) : operation,
        beside: undefined
      }
    })
  )

/** Puts the answer's text as JSON into `output_parsed`; nothing where it is no JSON. */
const withParsedText = <I, O>(
  operation: Operation<I, O, OutputRow>
): Operation<I, O, OutputRow> => ({
  ...operation,
  identity: Effect.map(operation.identity, (identity) => ({ ...identity, parseJson: true })),
  ask: (inference, tasks) =>
    Effect.map(operation.ask(inference, tasks), (rows) =>
      rows.map((row) =>
        row.outputText === undefined ? row : { ...row, outputParsed: parse(row.outputText) }
      )
    )
})

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
