/**
 * `infermesh generate`: rows in, rows out. Its work is in `GenerateJob`, which is loaded when there is some.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

import { request } from "../flag/Request.ts"
import { jobFlags } from "./Given.ts"

const { apiBase, deploymentsToml, envFile, fallback, model, routingStrategy, ...others } = jobFlags(
  '{"prompt": …}, {"messages": […]} or {"responses_input": …}'
)

const flags = {
  model,
  apiBase,
  deploymentsToml,
  fallback,
  routingStrategy,
  envFile,
  prompt: Flag.String("prompt").pipe(
    Flag.withDescription("One prompt, instead of a file"),
    Flag.withMetavar("TEXT"),
    Flag.optional
  ),
  ...others,
  ...request,
  operands: Argument.String("operand").pipe(
    Argument.withDescription("Not taken: a prompt is given with --prompt"),
    Argument.variadic()
  )
}

/**
 * The flags, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type GenerateFlags = Command.Command.Config.Infer<typeof flags>

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("generate", flags, (given) =>
  Effect.flatMap(
    Effect.promise(() => import("./GenerateJob.ts")),
    ({ run }) => run(given)
  )
).pipe(
  Command.withDescription("Generate text for one prompt or for every row of a file"),
  Command.withExamples([
    { command: 'infermesh generate --model openai/gpt-4.1-mini --prompt "Say hello."' },
    {
      command:
        "infermesh generate --model openai/gpt-4.1-mini --input-jsonl in.jsonl --output-jsonl out.jsonl --rpm 500 --budget-usd 5",
      description: "A file of rows, at most 500 requests a minute and five dollars"
    },
    {
      command:
        "infermesh generate --model openai/gpt-4.1-mini --input-jsonl in.jsonl --output-jsonl out.jsonl --rpm 500 --retry-failed=RateLimitError,TimedOut",
      description: "Go on after a Ctrl-C or a crash, and ask again what failed for those reasons"
    },
    {
      command:
        "infermesh generate --model hosted_vllm/llama-3 --api-base http://gpu0:8000/v1 --api-base http://gpu1:8000/v1 < in.jsonl > out.jsonl",
      description: "Two replicas of one's own server"
    }
  ])
)
