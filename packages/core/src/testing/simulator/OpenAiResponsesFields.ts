/**
 * The fields of a request to OpenAI's Responses API, each with its check.
 *
 * It is written from the API reference, not from our own client's types. What several fields have to do with one another is
 * `OpenAiResponsesRules`' matter. Items and tools that OpenAI itself runs are accepted as they are and never used.
 *
 * **Source**: OpenAI API reference, "Create a model response" (read November 2026).
 *
 * @since 0.1.0
 */
import * as FieldCheck from "./FieldCheck.ts"
import { isObject } from "./FieldCheck.ts"

const {
  anything,
  array,
  boolean,
  decimal,
  integer,
  nullable,
  object,
  oneOf,
  string,
  stringOr,
  struct,
  tagged
} = FieldCheck

const status = nullable(oneOf("in_progress", "completed", "incomplete"))

// ---- input

const inputParts = {
  input_text: struct({ type: anything, text: string() }, ["text"]),
  input_image: struct({
    type: anything,
    detail: nullable(oneOf("low", "high", "auto")),
    file_id: nullable(string()),
    image_url: nullable(string())
  }),
  input_file: struct({
    type: anything,
    file_data: nullable(string()),
    file_id: nullable(string()),
    file_url: nullable(string()),
    filename: nullable(string())
  })
}
const inputContent = stringOr(array(tagged("type", inputParts)))
const outputContent = stringOr(
  array(
    tagged("type", {
      output_text: struct(
        { type: anything, text: string(), annotations: array(object), logprobs: array(object) },
        ["text"]
      ),
      refusal: struct({ type: anything, refusal: string() }, ["refusal"])
    })
  )
)
const messageOf = (content: FieldCheck.Check) =>
  struct(
    {
      type: anything,
      role: anything,
      content,
      id: string(),
      status,
      phase: nullable(oneOf("commentary", "final_answer"))
    },
    ["content"]
  )
const message = tagged("role", {
  assistant: messageOf(outputContent),
  system: messageOf(inputContent),
  developer: messageOf(inputContent),
  user: messageOf(inputContent)
})

const summary = struct({ type: oneOf("summary_text"), text: string() }, ["type", "text"])
const reasoningText = struct({ type: oneOf("reasoning_text"), text: string() }, ["type", "text"])
const callOf = (input: string) =>
  struct(
    {
      type: anything,
      id: nullable(string()),
      call_id: string(),
      name: string(),
      namespace: nullable(string()),
      [input]: string(),
      status
    },
    ["call_id", "name", input]
  )
const resultOf = struct(
  { type: anything, id: nullable(string()), call_id: string(), output: inputContent, status },
  ["call_id", "output"]
)
const items = tagged("type", {
  message,
  function_call: callOf("arguments"),
  function_call_output: resultOf,
  custom_tool_call: callOf("input"),
  custom_tool_call_output: resultOf,
  reasoning: struct(
    {
      type: anything,
      id: string(),
      summary: array(summary),
      content: nullable(array(reasoningText)),
      encrypted_content: nullable(string()),
      status
    },
    ["summary"]
  ),
  item_reference: struct({ type: anything, id: string() }, ["id"]),
  compaction: object,
  file_search_call: object,
  web_search_call: object,
  code_interpreter_call: object,
  image_generation_call: object,
  computer_call: object,
  computer_call_output: object,
  mcp_list_tools: object,
  mcp_call: object,
  mcp_approval_request: object,
  mcp_approval_response: object
})
/** A message may leave out its type. */
const item: FieldCheck.Check = (value, path) =>
  isObject(value) && value["type"] === undefined ? message(value, path) : items(value, path)

// ---- tools

const name = string(/^[a-zA-Z0-9_-]+$/)
const hosted = {
  web_search: object,
  web_search_preview: object,
  file_search: object,
  code_interpreter: object,
  image_generation: object,
  computer_use_preview: object,
  mcp: object
}
const tool = tagged("type", {
  function: struct(
    {
      type: anything,
      name,
      description: nullable(string()),
      parameters: nullable(object),
      strict: nullable(boolean)
    },
    ["name"]
  ),
  custom: struct({ type: anything, name, description: string(), format: object }, ["name"]),
  ...hosted
})
const named = struct({ type: anything, name: string() }, ["name"])
const toolChoice: FieldCheck.Check = (value, path) =>
  (typeof value === "string"
    ? oneOf("none", "auto", "required")
    : tagged("type", {
        function: named,
        custom: named,
        allowed_tools: struct(
          { type: anything, mode: oneOf("auto", "required"), tools: array(object, 1) },
          ["mode", "tools"]
        ),
        ...hosted
      }))(value, path)

// ---- output

const format = tagged("type", {
  text: struct({ type: anything }),
  json_object: struct({ type: anything }),
  json_schema: struct(
    {
      type: anything,
      name: string(/^[a-zA-Z0-9_-]{1,64}$/),
      description: nullable(string()),
      schema: object,
      strict: nullable(boolean)
    },
    ["name", "schema"]
  )
})

/**
 * The check of a whole body, field by field.
 *
 * @category schemas
 * @since 0.1.0
 */
export const check = struct({
  background: nullable(boolean),
  conversation: nullable(anything),
  include: nullable(
    array(
      oneOf(
        "file_search_call.results",
        "web_search_call.results",
        "web_search_call.action.sources",
        "message.input_image.image_url",
        "computer_call_output.output.image_url",
        "code_interpreter_call.outputs",
        "reasoning.encrypted_content",
        "message.output_text.logprobs"
      )
    )
  ),
  input: stringOr(array(item)),
  instructions: nullable(string()),
  max_output_tokens: nullable(integer(16)),
  max_tool_calls: nullable(integer(1)),
  metadata: nullable(object),
  model: string(),
  parallel_tool_calls: nullable(boolean),
  previous_response_id: nullable(string()),
  prompt: nullable(object),
  prompt_cache_key: nullable(string()),
  prompt_cache_retention: nullable(oneOf("in_memory", "24h")),
  reasoning: nullable(
    struct({
      effort: nullable(oneOf("none", "minimal", "low", "medium", "high", "xhigh")),
      summary: nullable(oneOf("auto", "concise", "detailed")),
      generate_summary: nullable(oneOf("auto", "concise", "detailed"))
    })
  ),
  safety_identifier: nullable(string()),
  service_tier: nullable(oneOf("auto", "default", "flex", "scale", "priority")),
  store: nullable(boolean),
  stream: nullable(boolean),
  stream_options: nullable(struct({ include_obfuscation: boolean })),
  temperature: nullable(decimal(0, 2)),
  text: nullable(struct({ format, verbosity: nullable(oneOf("low", "medium", "high")) })),
  tool_choice: toolChoice,
  tools: array(tool),
  top_logprobs: nullable(integer(0, 20)),
  top_p: nullable(decimal(0, 1)),
  truncation: nullable(oneOf("auto", "disabled")),
  user: nullable(string())
})
