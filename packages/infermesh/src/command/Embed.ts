/**
 * `infermesh embed`: texts in, vectors out. Its work is in `EmbedJob`, which is loaded when there is some.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

import { extraBody } from "../flag/Request.ts"
import { toggle } from "../flag/Toggle.ts"
import { jobFlags } from "./Given.ts"

const flags = {
  ...jobFlags('{"text": …}'),
  text: Flag.String("text").pipe(
    Flag.withDescription("One text, instead of a file"),
    Flag.withMetavar("TEXT"),
    Flag.optional
  ),
  noVectors: toggle("no-vectors", "Leave the vectors out of the rows; their length stays"),
  outputNpy: Flag.String("output-npy").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(
      "Put the vectors into a NumPy matrix instead of the rows, which say which row of it is whose"
    ),
    Flag.optional
  ),
  dimensions: Flag.Int("dimensions").pipe(
    Flag.withDescription("Length of the vectors, for models that can shorten them"),
    Flag.optional
  ),
  microBatchSize: Flag.Int("micro-batch-size").pipe(
    Flag.withDescription("Most texts of one request; default 32"),
    Flag.optional
  ),
  maxTokensPerRequest: Flag.Int("max-tokens-per-request").pipe(
    Flag.withDescription("Most estimated tokens of one request; default 270000"),
    Flag.optional
  ),
  ...extraBody,
  operands: Argument.String("operand").pipe(
    Argument.withDescription("Not taken: a text is given with --text"),
    Argument.variadic()
  )
}

/**
 * The flags, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type EmbedFlags = Command.Command.Config.Infer<typeof flags>

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("embed", flags, (given) =>
  Effect.flatMap(
    Effect.promise(() => import("./EmbedJob.ts")),
    ({ run }) => run(given)
  )
).pipe(
  Command.withDescription("Embed one text or every row of a file"),
  Command.withExamples([
    { command: 'infermesh embed --model openai/text-embedding-3-small --text "hello"' },
    {
      command:
        "infermesh embed --model openai/text-embedding-3-small --input-jsonl in.jsonl --output-jsonl rows.jsonl --output-npy vectors.npy",
      description: "A file of rows into a matrix, numpy.load opens it"
    }
  ])
)
