/**
 * The fields of a request to Anthropic's Messages API, each with its check.
 *
 * It is written from the API reference, not from our own client's types. Tools that Anthropic itself runs, and their blocks,
 * are accepted as they are and never used.
 *
 * **Source**: Claude documentation, "Messages" (read November 2026).
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

const cache_control = nullable(
  tagged("type", { ephemeral: struct({ type: anything, ttl: oneOf("5m", "1h") }) }, true)
)

// ---- content

const text = struct(
  { type: anything, text: string(), cache_control, citations: nullable(array(object)) },
  ["text"]
)
const sources = {
  base64: struct({ type: anything, media_type: string(), data: string() }, ["media_type", "data"]),
  url: struct({ type: anything, url: string() }, ["url"]),
  file: struct({ type: anything, file_id: string() }, ["file_id"])
}
const image = struct({ type: anything, source: tagged("type", sources, true), cache_control }, [
  "source"
])
const document = struct(
  {
    type: anything,
    source: tagged(
      "type",
      {
        ...sources,
        text: struct({ type: anything, media_type: oneOf("text/plain"), data: string() }, [
          "media_type",
          "data"
        ]),
        content: struct({ type: anything, content: stringOr(array(object)) }, ["content"])
      },
      true
    ),
    title: nullable(string()),
    context: nullable(string()),
    citations: nullable(struct({ enabled: boolean })),
    cache_control
  },
  ["source"]
)
const given = { text, image, document, search_result: object }
const toolResult = struct(
  {
    type: anything,
    tool_use_id: string(),
    content: nullable(stringOr(array(tagged("type", given, true)))),
    is_error: nullable(boolean),
    cache_control
  },
  ["tool_use_id"]
)
const toolUse = struct(
  { type: anything, id: string(), name: string(), input: object, cache_control, caller: object },
  ["id", "name", "input"]
)
const block = tagged(
  "type",
  {
    ...given,
    thinking: struct({ type: anything, thinking: string(), signature: string() }, [
      "thinking",
      "signature"
    ]),
    redacted_thinking: struct({ type: anything, data: string() }, ["data"]),
    tool_use: toolUse,
    tool_result: toolResult,
    server_tool_use: object,
    web_search_tool_result: object,
    web_fetch_tool_result: object,
    code_execution_tool_result: object,
    bash_code_execution_tool_result: object,
    text_editor_code_execution_tool_result: object,
    tool_search_tool_result: object,
    mcp_tool_use: object,
    mcp_tool_result: object,
    container_upload: object,
    compaction: object
  },
  true
)
const message = struct({ role: oneOf("user", "assistant"), content: stringOr(array(block)) }, [
  "role",
  "content"
])

// ---- tools

const customTool = struct(
  {
    type: nullable(string()),
    name: string(/^[a-zA-Z0-9_-]{1,128}$/),
    description: string(),
    input_schema: object,
    strict: nullable(boolean),
    input_examples: array(object),
    defer_loading: boolean,
    eager_input_streaming: nullable(boolean),
    allowed_callers: array(string()),
    cache_control
  },
  ["name", "input_schema"]
)
/** A tool without a type, or of the type `custom`, is the caller's; every other type names one of Anthropic's. */
const tool: FieldCheck.Check = (value, path) => {
  if (!isObject(value)) return object(value, path)
  const type = value["type"] ?? "custom"
  return type === "custom" ? customTool(value, `${path}.custom`) : string()(type, `${path}.type`)
}
const choice = { type: anything, disable_parallel_tool_use: boolean }
const toolChoice = tagged(
  "type",
  {
    auto: struct(choice),
    any: struct(choice),
    tool: struct({ ...choice, name: string() }, ["name"]),
    none: struct({ type: anything })
  },
  true
)

// ---- output

const jsonSchema = tagged(
  "type",
  { json_schema: struct({ type: anything, schema: object }, ["schema"]) },
  true
)
const display = nullable(oneOf("summarized", "omitted"))

/** Fields of features that a header has to switch on. */
const beta = {
  context_management: nullable(object),
  mcp_servers: array(object),
  output_format: nullable(jsonSchema)
}

const fields = {
  model: string(),
  messages: array(message),
  max_tokens: integer(1),
  cache_control,
  container: nullable(anything),
  inference_geo: nullable(string()),
  metadata: nullable(struct({ user_id: nullable(string()) })),
  output_config: struct({
    effort: nullable(oneOf("low", "medium", "high", "xhigh", "max")),
    format: nullable(jsonSchema),
    task_budget: nullable(object)
  }),
  service_tier: oneOf("auto", "standard_only"),
  stop_sequences: nullable(array(string())),
  stream: nullable(boolean),
  system: nullable(stringOr(array(tagged("type", { text }, true)))),
  temperature: nullable(decimal(0, 1)),
  thinking: tagged(
    "type",
    {
      enabled: struct({ type: anything, budget_tokens: integer(1024), display }, ["budget_tokens"]),
      adaptive: struct({ type: anything, display }),
      disabled: struct({ type: anything })
    },
    true
  ),
  tool_choice: toolChoice,
  tools: nullable(array(tool)),
  top_k: nullable(integer(0)),
  top_p: nullable(decimal(0, 1))
}

const required = ["model", "messages", "max_tokens"]

/**
 * The check of a whole body, field by field.
 *
 * @category schemas
 * @since 0.1.0
 */
export const check = struct(fields, required)

/**
 * The same, with the fields of features that the header `anthropic-beta` switches on.
 *
 * @category schemas
 * @since 0.1.0
 */
export const betaCheck = struct({ ...fields, ...beta }, required)

/**
 * The fields the simulator looks at, of a body that passed its check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly model: string
  readonly messages: ReadonlyArray<Message>
  readonly max_tokens: number
  readonly output_config?: { readonly format?: Format | null }
  readonly output_format?: Format | null
  readonly stop_sequences?: ReadonlyArray<string> | null
  readonly stream?: boolean | null
  readonly system?: string | ReadonlyArray<Block> | null
  readonly temperature?: number | null
  readonly thinking?: {
    readonly type: "enabled" | "adaptive" | "disabled"
    readonly budget_tokens?: number
    readonly display?: string | null
  }
  readonly tool_choice?: {
    readonly type: "auto" | "any" | "tool" | "none"
    readonly name?: string
    readonly disable_parallel_tool_use?: boolean
  }
  readonly tools?: ReadonlyArray<Tool> | null
}

/**
 * What the text of the answer has to be.
 *
 * @category models
 * @since 0.1.0
 */
export interface Format {
  readonly schema: unknown
}

/**
 * A message that passed its check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message {
  readonly role: "user" | "assistant"
  readonly content: string | ReadonlyArray<Block>
}

/**
 * A block that passed its check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Block {
  readonly type: string
  readonly text?: string
  readonly id?: string
  readonly tool_use_id?: string
}

/**
 * A tool that passed its check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tool {
  readonly type?: string | null
  readonly name: string
  readonly input_schema?: unknown
  readonly strict?: boolean | null
}
