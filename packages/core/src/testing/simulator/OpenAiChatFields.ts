/**
 * The fields of a chat completions request, each with its check.
 *
 * It is written from the API reference, not from our own client's types, so that a field our client invents is refused.
 * What several fields have to do with one another is `OpenAiChatRules`' matter.
 *
 * **Source**: OpenAI API reference, "Create chat completion" (read November 2026).
 *
 * @since 0.1.0
 */
import * as FieldCheck from "./FieldCheck.ts"

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

const name = string(/^[a-zA-Z0-9_-]{1,64}$/)

const textPart = struct({ type: anything, text: string() }, ["text"])
const contentParts = {
  text: textPart,
  image_url: struct(
    {
      type: anything,
      image_url: struct({ url: string(), detail: oneOf("auto", "low", "high") }, ["url"])
    },
    ["image_url"]
  ),
  input_audio: struct(
    {
      type: anything,
      input_audio: struct({ data: string(), format: oneOf("wav", "mp3") }, ["data", "format"])
    },
    ["input_audio"]
  ),
  file: struct(
    {
      type: anything,
      file: struct({ file_data: string(), file_id: string(), filename: string() })
    },
    ["file"]
  )
}
const onlyText = stringOr(array(tagged("type", { text: textPart }), 1))
const toolCall = tagged("type", {
  function: struct(
    {
      id: string(),
      type: anything,
      function: struct({ name: string(), arguments: string() }, ["name", "arguments"])
    },
    ["id", "function"]
  ),
  custom: struct(
    {
      id: string(),
      type: anything,
      custom: struct({ name: string(), input: string() }, ["name", "input"])
    },
    ["id", "custom"]
  )
})

const message = tagged("role", {
  system: struct({ role: anything, name: string(), content: onlyText }, ["content"]),
  assistant: struct({
    role: anything,
    name: string(),
    content: nullable(
      stringOr(
        array(
          tagged("type", {
            text: textPart,
            refusal: struct({ type: anything, refusal: string() }, ["refusal"])
          }),
          1
        )
      )
    ),
    refusal: nullable(string()),
    audio: nullable(object),
    annotations: array(anything),
    tool_calls: array(toolCall, 1),
    function_call: nullable(object)
  }),
  user: struct(
    { role: anything, name: string(), content: stringOr(array(tagged("type", contentParts), 1)) },
    ["content"]
  ),
  function: struct({ role: anything, name: string(), content: nullable(string()) }, [
    "content",
    "name"
  ]),
  tool: struct({ role: anything, content: onlyText, tool_call_id: string() }, [
    "content",
    "tool_call_id"
  ]),
  developer: struct({ role: anything, name: string(), content: onlyText }, ["content"])
})

const tool = tagged("type", {
  function: struct(
    {
      type: anything,
      function: struct(
        { name, description: string(), parameters: object, strict: nullable(boolean) },
        ["name"]
      )
    },
    ["function"]
  ),
  custom: struct(
    {
      type: anything,
      custom: struct({ name, description: string(), format: object }, ["name"])
    },
    ["custom"]
  )
})

const namedChoice = tagged("type", {
  function: struct({ type: anything, function: struct({ name: string() }, ["name"]) }, [
    "function"
  ]),
  custom: struct({ type: anything, custom: struct({ name: string() }, ["name"]) }, ["custom"]),
  allowed_tools: struct(
    {
      type: anything,
      allowed_tools: struct({ mode: oneOf("auto", "required"), tools: array(object, 1) }, [
        "mode",
        "tools"
      ])
    },
    ["allowed_tools"]
  )
})
const choiceWord = oneOf("none", "auto", "required")

const responseFormat = tagged("type", {
  text: struct({ type: anything }),
  json_object: struct({ type: anything }),
  json_schema: struct(
    {
      type: anything,
      json_schema: struct(
        { name, description: string(), schema: object, strict: nullable(boolean) },
        ["name"]
      )
    },
    ["json_schema"]
  )
})

/**
 * The check of a whole body, field by field.
 *
 * @category schemas
 * @since 0.1.0
 */
export const check = struct({
  model: string(),
  messages: array(message, 1),
  audio: nullable(object),
  frequency_penalty: nullable(decimal(-2, 2)),
  function_call: anything,
  functions: array(object, 1),
  logit_bias: nullable(object),
  logprobs: nullable(boolean),
  max_completion_tokens: nullable(integer(1)),
  max_tokens: nullable(integer(1)),
  metadata: nullable(object),
  modalities: nullable(array(oneOf("text", "audio"), 1)),
  n: nullable(integer(1, 128)),
  parallel_tool_calls: boolean,
  prediction: nullable(object),
  presence_penalty: nullable(decimal(-2, 2)),
  prompt_cache_key: nullable(string()),
  prompt_cache_retention: nullable(oneOf("in_memory", "24h")),
  reasoning_effort: nullable(oneOf("none", "minimal", "low", "medium", "high", "xhigh")),
  response_format: responseFormat,
  safety_identifier: nullable(string()),
  seed: nullable(integer()),
  service_tier: nullable(oneOf("auto", "default", "flex", "scale", "priority")),
  stop: nullable(stringOr(array(string(), 1, 4))),
  store: nullable(boolean),
  stream: nullable(boolean),
  stream_options: nullable(struct({ include_usage: boolean, include_obfuscation: boolean })),
  temperature: nullable(decimal(0, 2)),
  tool_choice: (value, path) => (typeof value === "string" ? choiceWord : namedChoice)(value, path),
  tools: array(tool, 1),
  top_logprobs: nullable(integer(0, 20)),
  top_p: nullable(decimal(0, 1)),
  user: nullable(string()),
  verbosity: nullable(oneOf("low", "medium", "high")),
  web_search_options: object
})

/**
 * The fields the simulator looks at, of a body that passed {@link check}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly model: string
  readonly messages: ReadonlyArray<Message>
  readonly max_completion_tokens?: number | null
  readonly max_tokens?: number | null
  readonly n?: number | null
  readonly stop?: string | ReadonlyArray<string> | null
  readonly stream?: boolean | null
  readonly stream_options?: {
    readonly include_usage?: boolean
    readonly include_obfuscation?: boolean
  } | null
  readonly logprobs?: boolean | null
  readonly top_logprobs?: number | null
  readonly parallel_tool_calls?: boolean
  readonly response_format?: {
    readonly type: string
    readonly json_schema?: {
      readonly name: string
      readonly schema?: unknown
      readonly strict?: boolean | null
    }
  }
  readonly tools?: ReadonlyArray<Tool>
  readonly tool_choice?:
    | string
    | {
        readonly type: string
        readonly function?: { readonly name: string }
        readonly custom?: { readonly name: string }
        readonly allowed_tools?: { readonly mode: string; readonly tools: ReadonlyArray<Tool> }
      }
}

/**
 * A message that passed {@link check}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message {
  readonly role: string
  readonly name?: string
  readonly content?:
    | string
    | ReadonlyArray<{ readonly type: string; readonly text?: string }>
    | null
  readonly tool_calls?: ReadonlyArray<{ readonly id: string }>
  readonly tool_call_id?: string
}

/**
 * A tool that passed {@link check}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tool {
  readonly type: "function" | "custom"
  readonly function?: {
    readonly name: string
    readonly parameters?: unknown
    readonly strict?: boolean | null
  }
  readonly custom?: { readonly name: string }
}
