/**
 * Generation as a job's operation: a row is a prompt, its answer a row with `output_text`.
 *
 * @since 0.1.0
 */
import type { AnyOutput, GenerateOptions } from "@infermesh/core/Inference"
import type { GenerateInput } from "@infermesh/core/operation/Generate"
import * as Message from "@infermesh/core/operation/Message"
import * as StructuredOutput from "@infermesh/core/output/StructuredOutput"
import * as Prompt from "effect/ai/Prompt"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

import * as Identity from "../Identity.ts"
import type { OutputRow } from "./GenerateRow.ts"
import * as GenerateRow from "./GenerateRow.ts"
import type { Operation } from "./Operation.ts"

/**
 * Options of a generation, as a job or a row sets them.
 *
 * @category models
 * @since 0.1.0
 */
export type RowOptions = GenerateOptions<AnyOutput>

/**
 * Asks with `prompt`, `messages` or `responses_input`.
 *
 * **Details**: `system` is put before every row that has no instructions of its own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const generate = (
  settings: {
    readonly options?: RowOptions | undefined
    readonly system?: string | undefined
  } = {}
): Operation<GenerateInput, RowOptions, OutputRow> => {
  // One frozen object for all rows, which is checked once.
  const shared: RowOptions = Object.freeze({ ...settings.options })
  return {
    name: "generate",
    identity: identityOf(shared, settings.system),
    read: GenerateRow.toInput,
    packing: undefined,
    ask: (inference, tasks) =>
      Effect.forEach(tasks, ({ index, input, options }) =>
        Effect.match(
          inference.generate(
            withSystem(input, settings.system),
            options === undefined ? shared : { ...shared, ...options }
          ),
          {
            onFailure: (error) => GenerateRow.failed(index, error),
            onSuccess: (result) => GenerateRow.answered(index, result)
          }
        )
      ),
    toLine: GenerateRow.toLine
  }
}

const identityOf = ({ output, tools, ...options }: RowOptions, system: string | undefined) =>
  Effect.gen(function* () {
    const format =
      output === undefined
        ? undefined
        : yield* Effect.option(StructuredOutput.format<unknown>(output))
    return {
      ...Identity.fromOptions(options),
      "options.endpoint": options.endpoint ?? "chat_completion",
      "options.tools": tools?.map(({ name }) => name),
      schema: format?._tag === "Some" ? format.value.jsonSchema : undefined,
      system
    }
  })

/** A row's own instructions win over the job's. */
const withSystem = (input: GenerateInput, system: string | undefined): GenerateInput => {
  if (system === undefined) return input
  if (typeof input === "string") return before(system, Message.fromText(input))
  if (Prompt.isPrompt(input)) return before(system, input)
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
