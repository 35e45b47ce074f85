/**
 * What the fields of a request for content have to do with one another, with its size and with the model.
 *
 * **Source**: Gemini API documentation, "Function calling", "Structured outputs", "Thinking" (read November 2026), and error
 * bodies of the API.
 *
 * @since 0.1.0
 */
import { broken, invalid } from "./GeminiError.ts"
import type { Body, Content } from "./GeminiFields.ts"
import type { WireError } from "./Vendor.ts"
import type { ModelLimits } from "./WireFormat.ts"

/**
 * The message that a request for content is.
 *
 * @category constants
 * @since 0.1.0
 */
export const message = "GenerateContentRequest"

/**
 * The first rule a request breaks, or `undefined`.
 *
 * @category guards
 * @since 0.1.0
 */
export const firstBroken = (
  body: Body,
  model: string,
  promptTokens: number,
  limits: ModelLimits
): WireError | undefined =>
  dialogue(body.contents) ?? combination(body, model) ?? size(body, promptTokens, limits)

const roles = new Set([undefined, "user", "model", "function"])

const dialogue = (contents: ReadonlyArray<Content>): WireError | undefined => {
  let open = 0
  for (const [index, { parts = [], role }] of contents.entries()) {
    if (!roles.has(role)) return invalid("Please use a valid role: user, model.")
    if (parts.length === 0) {
      return broken(message, `contents[${index}].parts`, "contents.parts must not be empty.")
    }
    const empty = parts.findIndex((part) => !holds.some((kind) => kind in part))
    if (empty >= 0) {
      return broken(
        message,
        `contents[${index}].parts[${empty}].data`,
        "required oneof field 'data' must have one initialized field"
      )
    }
    const responses = parts.filter((part) => part.functionResponse !== undefined).length
    if (responses !== open) return invalid(uneven)
    open = parts.filter((part) => part.functionCall !== undefined).length
  }
  return open > 0 ? invalid(uneven) : undefined
}

/** What a part may hold. */
const holds = [
  "text",
  "inlineData",
  "fileData",
  "functionCall",
  "functionResponse",
  "executableCode",
  "codeExecutionResult"
]

const uneven =
  "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."

const combination = (body: Body, model: string): WireError | undefined => {
  const { generationConfig: config = {}, toolConfig, tools = [] } = body
  const declared = tools.flatMap((tool) => tool.functionDeclarations ?? [])
  const { allowedFunctionNames: allowed = [], mode } = toolConfig?.functionCallingConfig ?? {}
  if (mode === "ANY" && declared.length === 0) {
    return invalid("Function calling config is set without function_declarations.")
  }
  if (allowed.length > 0 && mode !== "ANY" && mode !== "VALIDATED") {
    return invalid(
      "Allowed function names should only be set when function calling mode is ANY or VALIDATED."
    )
  }
  const unknown = allowed.find((name) => !declared.some((declaration) => declaration.name === name))
  if (unknown !== undefined) {
    return broken(
      message,
      "tool_config.function_calling_config.allowed_function_names",
      `'${unknown}' is not a declared function.`
    )
  }
  const structured = config.responseSchema !== undefined || config.responseJsonSchema !== undefined
  if (config.responseSchema !== undefined && config.responseJsonSchema !== undefined) {
    return broken(
      message,
      "generation_config",
      "only one of response_schema and response_json_schema can be set"
    )
  }
  if (structured && !structuredTypes.has(config.responseMimeType ?? "")) {
    return broken(
      message,
      "generation_config.response_schema",
      "only allowed when response_mime_type is 'application/json' or 'text/x.enum'"
    )
  }
  if (config.responseMimeType !== undefined && !types.has(config.responseMimeType)) {
    return broken(
      message,
      "generation_config.response_mime_type",
      "allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`."
    )
  }
  // Models from Gemini 3 on can do both at once.
  const either = /gemini-[12]\D/.test(`${model} `)
  if (either && declared.length > 0 && config.responseMimeType === "application/json") {
    return invalid("Function calling with a response mime type: 'application/json' is unsupported")
  }
  const { thinkingBudget, thinkingLevel } = config.thinkingConfig ?? {}
  return thinkingBudget !== undefined && thinkingLevel !== undefined
    ? invalid("You can only set only one of thinking budget and thinking level.")
    : undefined
}

const structuredTypes = new Set(["application/json", "text/x.enum"])
const types = new Set([...structuredTypes, "text/plain", "application/xml", "application/yaml"])

const size = (
  { generationConfig }: Body,
  promptTokens: number,
  limits: ModelLimits
): WireError | undefined => {
  const { contextWindow, maxOutputTokens } = limits
  const asked = generationConfig?.maxOutputTokens
  if (asked !== undefined && maxOutputTokens !== undefined && asked > maxOutputTokens) {
    return broken(
      message,
      "generation_config.max_output_tokens",
      `max_output_tokens must be in the range [1, ${maxOutputTokens}].`
    )
  }
  return contextWindow !== undefined && promptTokens > contextWindow
    ? invalid(
        `The input token count (${promptTokens}) exceeds the maximum number of tokens allowed (${contextWindow}).`
      )
    : undefined
}
