/**
 * A run over a file: rows in, rows out, each settled on its own, in memory that does not grow with the file.
 *
 * Every row is written as soon as it is settled, so that nothing that was answered is lost when the run ends early. It keeps no
 * ledger: a run that was interrupted cannot be resumed yet.
 *
 * @since 0.1.0
 */
import * as Batch from "@infermesh/core/batch/Batch"
import * as Inference from "@infermesh/core/Inference"
import type { AnyOutput, GenerateOptions } from "@infermesh/core/Inference"
import type { GenerateInput } from "@infermesh/core/operation/Generate"
import * as Message from "@infermesh/core/operation/Message"
import * as Prompt from "effect/ai/Prompt"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import type { Line, Writer } from "./Jsonl.ts"
import type { OutputRow } from "./Row.ts"
import * as Row from "./Row.ts"
import type { Summary, Tally } from "./Tally.ts"

/**
 * A job.
 *
 * @category models
 * @since 0.1.0
 */
export interface GenerateJob<EIn, RIn, EOut> {
  readonly input: Stream.Stream<Line, EIn, RIn>
  readonly output: Writer<EOut>
  readonly options: GenerateOptions<AnyOutput>
  /** A system message put before every row that has none. */
  readonly system?: string | undefined
  /** Rows under way at once. Default: `Batch.Concurrency`. */
  readonly concurrency?: number | undefined
  /** Counts the rows; the caller reads it for progress while the job runs. */
  readonly tally: Tally
}

/**
 * Runs a generation job to its end, and sums it up.
 *
 * **Errors**: only those of the input and of the output as a whole; a row that fails is a row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const generate = Effect.fnUntraced(function* <EIn, RIn, EOut>(
  job: GenerateJob<EIn, RIn, EOut>
): Effect.fn.Return<Summary, EIn | EOut, RIn | Inference.Inference> {
  const inference = yield* Inference.Inference
  const concurrency = job.concurrency ?? (yield* Batch.Concurrency)
  const ask = ({ index, line, row }: Line): Effect.Effect<OutputRow> => {
    const input = Result.flatMap(row, Row.toInput)
    if (Result.isFailure(input)) return Effect.succeed(Row.unusable(index, line, input.failure))
    return Effect.suspend(() =>
      inference.generate(withSystem(input.success, job.system), job.options)
    ).pipe(
      Effect.match({
        onFailure: (error) => Row.failed(index, error),
        onSuccess: (result) => Row.answered(index, result)
      }),
      Effect.catchDefect((defect) => Effect.succeed(Row.defective(index, defect)))
    )
  }
  // From the moment an answer is there until it is written, nothing can interrupt: it was paid for.
  const settle = (line: Line): Effect.Effect<void, EOut> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(restore(ask(line)), (answer) => {
        const row = withMetadata(answer, line)
        job.tally.add(row)
        return job.output.write(row.index, Row.toLine(row))
      })
    )
  // In input order a row that is slow holds back those behind it, and no more than `concurrency` of them.
  const unordered = !job.output.ordered
  yield* Stream.runDrain(Stream.mapEffect(job.input, settle, { concurrency, unordered }))
  return job.tally.summary()
})

const withMetadata = (answer: OutputRow, { row }: Line): OutputRow => {
  const metadata = Result.isSuccess(row) ? Row.metadata(row.success) : undefined
  return metadata === undefined ? answer : { ...answer, metadata }
}

/** A row's own instructions win over the job's. */
const withSystem = (input: GenerateInput, system: string | undefined): GenerateInput => {
  if (system === undefined) return input
  if (typeof input === "string") return before(system, Message.fromText(input))
  if (isMessages(input)) {
    // Messages that cannot be used are left as they are: their own positions are named when they are refused.
    const prompt = Message.toPrompt(input)
    return Result.isFailure(prompt) ? input : before(system, prompt.success)
  }
  return "input" in input ? { instructions: system, ...input } : input
}

const before = (system: string, prompt: Prompt.Prompt): Prompt.Prompt =>
  prompt.content.some(({ role }) => role === "system")
    ? prompt
    : Prompt.fromMessages([Prompt.systemMessage({ content: system }), ...prompt.content])

const isMessages = (input: GenerateInput): input is ReadonlyArray<Message.ChatMessage> =>
  Array.isArray(input)
