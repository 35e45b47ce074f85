/**
 * `infermesh bench`: how fast a model answers at several settings. Its work is in `BenchJob`, which is loaded when there is some.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

import { connection } from "../flag/Connection.ts"
import { limits } from "../flag/Limits.ts"
import { extraBody } from "../flag/Request.ts"

const { maxParallelRequests: _, ...clientLimits } = limits

const shared = {
  ...connection,
  ...clientLimits,
  ...extraBody,
  requests: Flag.Int("requests").pipe(
    Flag.withDescription("Requests of each setting; default 100"),
    Flag.withDefault(100)
  ),
  duration: Flag.String("duration").pipe(
    Flag.withMetavar("TIME"),
    Flag.withDescription(
      "Longest time of each setting, in which --requests is no limit: seconds, or '30 seconds'"
    ),
    Flag.optional
  ),
  warmUp: Flag.Int("warm-up").pipe(
    Flag.withDescription("Requests before each setting that are not counted; default 10"),
    Flag.withDefault(10)
  ),
  rate: Flag.Finite("rate").pipe(
    Flag.withMetavar("PER_SECOND"),
    Flag.withDescription(
      "Requests that come on time, so many a second, whatever became of those before; latency counts from when they are due"
    ),
    Flag.optional
  ),
  outputJson: Flag.String("output-json").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("All figures as JSON"),
    Flag.optional
  ),
  outputHtml: Flag.String("output-html").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("A page with the curves"),
    Flag.optional
  )
}

const generateFlags = {
  ...shared,
  prompt: Flag.String("prompt").pipe(
    Flag.withMetavar("TEXT"),
    Flag.withDescription("What is asked; default a question of a few words"),
    Flag.withDefault("Tell a story about a lighthouse in a hundred words.")
  ),
  maxTokens: Flag.Int("max-tokens").pipe(
    Flag.withDescription("Most tokens of an answer"),
    Flag.optional
  ),
  concurrency: Flag.String("concurrency").pipe(
    Flag.withMetavar("N,N,…"),
    Flag.withDescription("Requests at once, one setting after the other; default 1,2,4,8,16,32"),
    Flag.withDefault("1,2,4,8,16,32")
  )
}

const embedFlags = {
  ...shared,
  text: Flag.String("text").pipe(
    Flag.withMetavar("TEXT"),
    Flag.withDescription("What is embedded; default a sentence"),
    Flag.withDefault("The lighthouse stands where the river meets the sea.")
  ),
  microBatchSize: Flag.String("micro-batch-size").pipe(
    Flag.withMetavar("N,N,…"),
    Flag.withDescription("Texts of one request, one setting after the other; default 1,8,32,128"),
    Flag.withDefault("1,8,32,128")
  ),
  concurrency: Flag.Int("concurrency").pipe(
    Flag.withDescription("Requests at once; default 8"),
    Flag.withDefault(8)
  )
}

/**
 * The flags of `bench generate`, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type GenerateFlags = Command.Command.Config.Infer<typeof generateFlags>

/**
 * The flags of `bench embed`, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type EmbedFlags = Command.Command.Config.Infer<typeof embedFlags>

const job = Effect.promise(() => import("./BenchJob.ts"))

const generate = Command.make("generate", generateFlags, (given) =>
  Effect.flatMap(job, (module) => module.generate(given))
).pipe(
  Command.withDescription("Ask a model at several concurrencies"),
  Command.withExamples([
    {
      command:
        "infermesh bench generate --model hosted_vllm/llama-3 --api-base http://gpu0:8000/v1 --concurrency 8,16,32,64 --output-html curve.html"
    }
  ])
)

const embed = Command.make("embed", embedFlags, (given) =>
  Effect.flatMap(job, (module) => module.embed(given))
).pipe(
  Command.withDescription("Embed texts with several texts a request"),
  Command.withExamples([
    {
      command:
        "infermesh bench embed --model openai/text-embedding-3-small --micro-batch-size 8,64,256"
    }
  ])
)

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("bench").pipe(
  Command.withDescription("Measure how fast a model answers, and find the setting to take"),
  Command.withSubcommands([generate, embed]),
  Command.withExamples([
    { command: "infermesh bench generate --model openai/gpt-4.1-mini --concurrency 1,4,16,64" }
  ])
)
