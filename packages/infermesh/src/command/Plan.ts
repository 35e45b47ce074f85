/**
 * `infermesh plan`: what a job would take, without asking anybody. Its work is in `PlanJob`, which is loaded when there is some.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

import { connection } from "../flag/Connection.ts"
import { limits } from "../flag/Limits.ts"

const flags = {
  input: Argument.String("input").pipe(
    Argument.withDescription("The rows, as generate --input-jsonl takes them")
  ),
  ...connection,
  ...limits,
  maxTokens: Flag.Int("max-tokens").pipe(
    Flag.withDescription("Most tokens of an answer"),
    Flag.optional
  ),
  answerTokens: Flag.Int("answer-tokens").pipe(
    Flag.withDescription("Tokens that an answer is taken to have; default 256"),
    Flag.withDefault(256)
  ),
  answerSeconds: Flag.Finite("answer-seconds").pipe(
    Flag.withDescription("Seconds that an answer is taken to take; default 3"),
    Flag.withDefault(3)
  ),
  sample: Flag.Int("sample").pipe(
    Flag.withDescription("Most rows that are played through; default 4000"),
    Flag.withDefault(4000)
  )
}

/**
 * The flags, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type PlanFlags = Command.Command.Config.Infer<typeof flags>

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("plan", flags, (given) =>
  Effect.flatMap(
    Effect.promise(() => import("./PlanJob.ts")),
    ({ run }) => run(given)
  )
).pipe(
  Command.withDescription(
    "Say what a job would cost, what would hold it up and when it would be finished; nothing is sent"
  ),
  Command.withExamples([
    { command: "infermesh plan in.jsonl --model openai/gpt-4.1-mini --rpm 500 --tpm 200000" }
  ])
)
