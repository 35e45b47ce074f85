import * as EmbedBatch from "@infermesh/core/batch/EmbedBatch"
import { pack } from "@infermesh/core/batch/Packing"
/**
 * Embedding as a job's operation: a row is a text, its answer a row with `embedding`; many rows are one request.
 *
 * @since 0.1.0
 */
import type { EmbedOptions } from "@infermesh/core/Inference"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

import * as Fingerprint from "../Fingerprint.ts"
import * as Identity from "../Identity.ts"
import type { JobError } from "../JobError.ts"
import { because, InvalidSetting } from "../JobError.ts"
import type { EmbedRow } from "./EmbedRow.ts"
import * as EmbedRows from "./EmbedRow.ts"
import type { Operation, Task } from "./Operation.ts"

/**
 * Options of an embedding, as a job or a row sets them.
 *
 * @category models
 * @since 0.1.0
 */
export type RowOptions = Omit<EmbedOptions, "vectors" | "rawResponse">

/**
 * Asks with `text`, up to `microBatchSize` rows a request; a request that fails for one of its rows is bisected until only that
 * row fails.
 *
 * **Errors**: `InvalidSetting` when `microBatchSize` or `maxTokensPerRequest` is no whole number of at least 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const embed = (
  settings: {
    readonly options?: RowOptions | undefined
    /** Rows per request. Default 32. */
    readonly microBatchSize?: number | undefined
    /** Estimated tokens per request. Default 270,000. */
    readonly maxTokensPerRequest?: number | undefined
    /** Whether the rows have the vectors, or only their length. Default `true`. */
    readonly vectors?: boolean | undefined
  } = {}
): Effect.Effect<Operation<string, RowOptions, EmbedRow>, JobError> => {
  const limits = EmbedBatch.packLimits(settings)
  if (Result.isFailure(limits)) {
    const { input, problem } = limits.failure
    return Effect.fail(because(new InvalidSetting({ setting: input, problem })))
  }
  const shared: RowOptions = Object.freeze({ ...settings.options })
  const toRow = (row: EmbedRow): EmbedRow =>
    settings.vectors === false ? { ...row, embedding: undefined } : row
  return Effect.succeed({
    name: "embed",
    identity: Effect.succeed({ ...Identity.fromOptions(shared), vectors: settings.vectors }),
    read: EmbedRows.toInput,
    packing: {
      rows: limits.success.texts,
      split: (texts) =>
        pack(texts, (text) => Math.ceil(text.length / charactersPerToken), limits.success).map(
          ({ length }) => length
        )
    },
    ask: (inference, tasks) =>
      Effect.map(
        Effect.forEach(
          byOptions(tasks),
          ({ options, tasks }) =>
            EmbedBatch.settle(
              inference.embed,
              options === undefined ? shared : { ...shared, ...options },
              true
            )(tasks.map(({ index, input }) => EmbedBatch.item(index, input))),
          { concurrency: "unbounded" }
        ),
        (groups) =>
          groups
            .flat()
            .map(({ index, result }) =>
              Result.isSuccess(result)
                ? toRow(EmbedRows.answered(index, result.success))
                : EmbedRows.failed(index, result.failure)
            )
      ),
    toLine: EmbedRows.toLine
  })
}

/** The rule of thumb of the tokenizers' makers: four characters of English a token. */
const charactersPerToken = 4

/** Rows with options of their own cannot share a request with rows that have others. */
const byOptions = (tasks: ReadonlyArray<Task<string, RowOptions>>) => {
  const groups = new Map<
    string,
    { readonly options: RowOptions | undefined; readonly tasks: Array<Task<string, RowOptions>> }
  >()
  for (const task of tasks) {
    const key = task.options === undefined ? "" : Fingerprint.canonical(task.options)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { options: task.options, tasks: [task] })
    else group.tasks.push(task)
  }
  return [...groups.values()]
}
