/**
 * OpenAI's Responses API on the wire: what is asked, and how the answer is read.
 *
 * It opens no connection (`OpenAi` does) and writes no item of the conversation (`ResponsesInput`); answers are read in
 * `ResponsesOutput` and `ResponsesStream`.
 *
 * **Details**: fields of a `ResponsesInput` are sent as they are. Options win over them, because the rest of the library reads
 * the options: quotas count `maxTokens`, answers are read by `output`. Tools and `include` of both are sent together, and in
 * `reasoning`, `text` and `metadata` each field is decided for itself. `extraBody` has the last word over both.
 *
 * What the API says only on request is asked for in `extraBody`: `{ reasoning: { summary: "auto" } }` for summaries of the
 * reasoning; `{ store: false, include: ["reasoning.encrypted_content"] }` for reasoning that the next turn can give back without
 * the provider storing it. A conversation the provider stores goes on with `previous_response_id`, which is the `id` of
 * `rawResponse`.
 *
 * **Source**: OpenAI API reference, "Create a model response" (read November 2026).
 *
 * @since 0.1.0
 */
import type {
  GenerateRequest,
  OutputShape,
  ResponsesInput as OwnInput
} from "@infermesh/core/operation/Generate"
import type { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import type { ToolChoice, ToolDefinition } from "@infermesh/core/operation/ToolCall"
import { AttemptError } from "@infermesh/core/provider/Provider"
import { InvalidInput } from "@infermesh/core/Reason"
import * as Result from "effect/Result"

import * as PartStream from "../PartStream.ts"
import type { Json } from "../RequestBody.ts"
import { isRecord, merge, refuseOptions } from "../RequestBody.ts"
import type { Dialect } from "./Dialect.ts"
import type { GenerateProtocol } from "./GenerateProtocol.ts"
import * as OutputFormat from "./OutputFormat.ts"
import * as ResponsesInput from "./ResponsesInput.ts"
import * as ResponsesOutput from "./ResponsesOutput.ts"
import * as ResponsesStream from "./ResponsesStream.ts"

// ---- request body

/** Our option names as the API's; those of which the form changes too are handled beside it. */
const fields: { readonly [K in keyof ModelOptions]?: string } = {
  temperature: "temperature",
  topP: "top_p",
  maxTokens: "max_output_tokens",
  serviceTier: "service_tier",
  user: "user",
  metadata: "metadata"
}

/** What the API has no field for. */
const unknownOptions: ReadonlyArray<keyof ModelOptions> = [
  "topK",
  "stop",
  "seed",
  "n",
  "presencePenalty",
  "frequencyPenalty"
]

/** Fields of the API that are not the caller's to give: they are said elsewhere, and must not be said twice. */
const reserved: { readonly [field: string]: string } = {
  model: "The deployment names the model",
  stream: "Call generateStream for a stream"
}

// ---- encode

/**
 * The body of a request, but for `model` and what the deployment adds.
 *
 * **Errors**: `Unsupported` for what the API cannot be told; `InvalidInput` for a field of the input that is not the caller's.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  request: GenerateRequest,
  dialect: Dialect
): Result.Result<Json, AttemptError> => {
  const { options } = request
  const refused = refuseOptions(`${dialect.name}'s responses endpoint`, options, unknownOptions)
  if (refused !== undefined) return Result.fail(refused)
  const format = OutputFormat.encode(request, dialect, forms)
  if (Result.isFailure(format)) return Result.fail(format.failure)
  const { prompt, responsesInput } = format.success.request
  const input =
    responsesInput === undefined
      ? Result.map(ResponsesInput.encode(prompt), (items): Json => ({
          input: shortened(items)
        }))
      : given(responsesInput)
  return Result.map(input, (own) => {
    const asked = { ...optionFields(options), ...format.success.fields, ...toolFields(request) }
    return together([replaceable(own, asked), asked, options.extraBody ?? {}])
  })
}

/** One plain text of the user's needs no list around it. */
const shortened = (items: ReadonlyArray<Json>): string | ReadonlyArray<Json> => {
  const [only] = items
  return items.length === 1 && only?.["role"] === "user" && typeof only["content"] === "string"
    ? only["content"]
    : items
}

/** The input as the caller gives it. */
const given = (input: OwnInput): Result.Result<Json, AttemptError> => {
  const field = Object.keys(reserved).find((name) => input[name] !== undefined)
  return field === undefined
    ? Result.succeed(input)
    : Result.fail(
        new AttemptError({
          reason: new InvalidInput({
            input: field,
            problem: "it is no field of an input",
            hint: reserved[field]
          }),
          outcome: "unsent"
        })
      )
}

const optionFields = (options: ModelOptions): Json => {
  const body: Record<string, unknown> = {}
  for (const name in fields) {
    const value = options[name as keyof typeof fields]
    if (value !== undefined) body[fields[name as keyof typeof fields] ?? name] = value
  }
  if (options.reasoningEffort !== undefined) body["reasoning"] = { effort: options.reasoningEffort }
  const { logprobs, topLogprobs } = options
  if (topLogprobs !== undefined && topLogprobs > 0) body["top_logprobs"] = topLogprobs
  if (logprobs === true || body["top_logprobs"] !== undefined) {
    body["include"] = ["message.output_text.logprobs"]
  }
  return body
}

/** The forms of this endpoint. */
const forms = {
  bySchema: ({ jsonSchema, name, strict }: OutputShape): Json => ({
    text: { format: { type: "json_schema", name, schema: jsonSchema, strict } }
  }),
  anyObject: { text: { format: { type: "json_object" } } }
}

const toolFields = ({ toolChoice, tools }: GenerateRequest): Json => ({
  ...(tools.length === 0 ? {} : { tools: tools.map(toTool) }),
  ...(toolChoice === undefined ? {} : { tool_choice: toToolChoice(toolChoice) })
})

/** Here a tool is strict unless told otherwise, which a schema that was not made for it does not survive. */
const toTool = ({ description, name, parameters, strict }: ToolDefinition): Json => ({
  type: "function",
  name,
  ...(description === undefined ? {} : { description }),
  parameters,
  strict: strict ?? false
})

const toToolChoice = (choice: ToolChoice): string | Json =>
  typeof choice === "object" ? { type: "function", name: choice.tool } : choice

/** The caller's input without the objects that an option replaces: half of each would be neither. */
const replaceable = (own: Json, asked: Json): Json => {
  const { tool_choice: choice, text, ...others } = own
  return {
    ...others,
    ...(choice === undefined || asked["tool_choice"] !== undefined ? {} : { tool_choice: choice }),
    ...(text === undefined
      ? {}
      : { text: isRecord(text) && asked["text"] !== undefined ? { ...text, format: null } : text })
  }
}

/** Bodies one over the other; what is to be included, all of them say together. */
const together = (bodies: ReadonlyArray<Json>): Json => {
  const body = bodies.reduce(merge)
  const included = bodies.flatMap(({ include }) => (Array.isArray(include) ? include : []))
  return included.length === 0 ? body : { ...body, include: [...new Set<unknown>(included)] }
}

// ---- protocol

/**
 * The `/responses` endpoint.
 *
 * @category protocols
 * @since 0.1.0
 */
export const protocol: GenerateProtocol = {
  path: "/responses",
  encode,
  streamFields: () => ({ stream: true }),
  answer: (text, context) =>
    Result.flatMap(ResponsesOutput.parse(text, context.url), (body) =>
      ResponsesOutput.decode(body, context)
    ),
  stream: (events, context) => PartStream.decode(events, ResponsesStream.machine(context))
}
