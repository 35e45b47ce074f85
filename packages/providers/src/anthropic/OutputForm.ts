/**
 * How Anthropic is told the form of an answer: by `output_config.format` where model and schema allow it, else by a tool that
 * the model is made to call and whose input is the answer.
 *
 * It reads no answer: `MessagesProtocol` takes the input of that tool for the text, and `StructuredOutput` of core reads it.
 *
 * @since 0.1.0
 */
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
import type { AttemptError } from "@infermesh/core/provider/Provider"

import type { Json } from "../RequestBody.ts"
import { unsupported } from "../RequestBody.ts"
import { enforceable } from "./EnforcedSchema.ts"
import { abilities } from "./Models.ts"

/**
 * The fields of the body that ask for a form, and the tool that carries the answer where one does.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutputForm {
  readonly fields: Json
  readonly answerTool: string | undefined
}

/**
 * The form a request asks for.
 *
 * **Errors**: `Unsupported` where neither way can ask for it.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  { output, tools }: GenerateRequest,
  model: string
): OutputForm | AttemptError => {
  if (output === undefined) return { fields: {}, answerTool: undefined }
  const { jsonSchema, name, plainSchema = jsonSchema } = output
  const schema = abilities(model).structuredOutput ? enforceable(jsonSchema) : undefined
  if (schema !== undefined) {
    return {
      fields: { output_config: { format: { type: "json_schema", schema } } },
      answerTool: undefined
    }
  }
  // The input of a tool is an object, and nothing makes the model keep to a form it has never seen written.
  if (plainSchema["type"] !== "object") {
    return unsupported("anthropic", "an output schema that is no object", "Wrap it in an object")
  }
  if (tools.length > 0) {
    return unsupported(
      "anthropic",
      "tools together with an output schema of this form, on this model",
      "Close the schema's objects and use Claude 4.5 or later"
    )
  }
  const tool = {
    name,
    description: "Gives the answer. Call it exactly once, with the whole answer as its input.",
    input_schema: plainSchema
  }
  return { fields: { tools: [tool], tool_choice: { type: "tool", name } }, answerTool: name }
}
