/**
 * How an OpenAI-compatible API is told the form of an answer: by its schema where the vendor enforces one, else by asking for
 * any JSON object and telling the model the schema in words.
 *
 * It reads no answer: `StructuredOutput` of core does, and checks it.
 *
 * **Source**: OpenAI "Structured model outputs"; DeepSeek "JSON Output": the word JSON must stand in the prompt, or the model
 * may write white space until its tokens end.
 *
 * @since 0.1.0
 */
import type { GenerateRequest, OutputShape } from "@infermesh/core/operation/Generate"
import * as Instructions from "@infermesh/core/output/Instructions"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import * as Result from "effect/Result"

import type { Json } from "../RequestBody.ts"
import { unsupported } from "../RequestBody.ts"
import type { Dialect } from "./Dialect.ts"

/**
 * The request to encode, and the body's fields that ask for a form.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutputFormat {
  /** The request itself, or one whose prompt tells the form where only some JSON can be asked for. */
  readonly request: GenerateRequest
  readonly fields: Json
}

/**
 * What a request's form is on the wire; `wire` puts a form into an endpoint's fields.
 *
 * **Errors**: `Unsupported` where the vendor has no such form.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  request: GenerateRequest,
  dialect: Dialect,
  wire: { readonly bySchema: (output: OutputShape) => Json; readonly anyObject: Json }
): Result.Result<OutputFormat, AttemptError> => {
  const { output } = request
  if (output === undefined) return Result.succeed({ request, fields: {} })
  switch (dialect.structuredOutput ?? "json_schema") {
    case "json_schema":
      return Result.succeed({ request, fields: wire.bySchema(output) })
    case "json_object":
      return output.jsonSchema["type"] === "object"
        ? Result.succeed({ request: Instructions.inWords(request), fields: wire.anyObject })
        : Result.fail(
            unsupported(
              dialect.name,
              "an output schema that is no object",
              "Wrap it in an object with one field"
            )
          )
    case "none":
      return Result.fail(
        unsupported(
          dialect.name,
          "structured output",
          'Set outputMode: "prompt" to ask for it in words'
        )
      )
  }
}

/**
 * The forms of the chat endpoint.
 *
 * @category encoding
 * @since 0.1.0
 */
export const chat = {
  bySchema: ({ jsonSchema, name, strict }: OutputShape): Json => ({
    response_format: { type: "json_schema", json_schema: { name, schema: jsonSchema, strict } }
  }),
  anyObject: { response_format: { type: "json_object" } }
}
