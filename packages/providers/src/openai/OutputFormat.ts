/**
 * How an OpenAI-compatible API is told the form of an answer: by its schema where the vendor enforces one, else by asking for
 * any JSON object and telling the model the schema in words.
 *
 * It reads no answer: `StructuredOutput` of core does, and checks it.
 *
 * **Source**: OpenAI "Structured model outputs"; DeepSeek "JSON Output": the word JSON must stand in the prompt, or the model
 * may write white space until its tokens end (read November 2026).
 *
 * @since 0.1.0
 */
import type { GenerateRequest, OutputShape } from "@infermesh/core/operation/Generate"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import * as Result from "effect/Result"

import type { Json } from "../RequestBody.ts"
import { unsupported } from "../RequestBody.ts"
import type { Dialect } from "./Dialect.ts"

/**
 * The body's fields that ask for a form, and what the model must be told besides.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutputFormat {
  readonly fields: Json
  readonly instruction: string | undefined
}

const none: OutputFormat = { fields: {}, instruction: undefined }

/**
 * The form a request asks for, as the chat endpoint is told.
 *
 * **Errors**: `Unsupported` where the vendor has no such form.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  { output }: Pick<GenerateRequest, "output">,
  dialect: Dialect
): Result.Result<OutputFormat, AttemptError> => {
  if (output === undefined) return Result.succeed(none)
  switch (dialect.structuredOutput ?? "json_schema") {
    case "json_schema":
      return Result.succeed({ fields: bySchema(output), instruction: undefined })
    case "json_object":
      return output.jsonSchema["type"] === "object"
        ? Result.succeed({
            fields: { response_format: { type: "json_object" } },
            instruction: instruction(output)
          })
        : Result.fail(
            unsupported(
              dialect.name,
              "an output schema that is no object",
              "Wrap it in an object with one field"
            )
          )
    case "none":
      return Result.fail(
        unsupported(dialect.name, "structured output", "Ask for JSON in the prompt")
      )
  }
}

/**
 * The field that has a schema enforced.
 *
 * @category encoding
 * @since 0.1.0
 */
export const bySchema = ({ jsonSchema, name, strict }: OutputShape): Json => ({
  response_format: { type: "json_schema", json_schema: { name, schema: jsonSchema, strict } }
})

/**
 * What a model is told of a schema that nobody enforces.
 *
 * @category encoding
 * @since 0.1.0
 */
export const instruction = ({ jsonSchema }: OutputShape): string =>
  `Answer with one JSON object and nothing else. It must fit this JSON Schema:\n${JSON.stringify(jsonSchema)}`

/**
 * Messages with an instruction in the system message at their head, which is put there where there is none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const instruct = (
  messages: ReadonlyArray<Json>,
  words: string | undefined
): ReadonlyArray<Json> => {
  if (words === undefined) return messages
  const [first, ...rest] = messages
  const { content, role } = first ?? {}
  if (role !== "system" && role !== "developer") {
    return [{ role: "system", content: words }, ...messages]
  }
  const extended =
    typeof content === "string"
      ? `${content}\n\n${words}`
      : [...(content as ReadonlyArray<unknown>), { type: "text", text: words }]
  return [{ ...first, content: extended }, ...rest]
}
