import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect } from "effect"

import { chat, errorOf, json, post, respond } from "./SimulatorExchange.ts"

const user = { role: "user", content: "Hi" }
const weather = { type: "function", function: { name: "weather", parameters: { type: "object" } } }

/** A request, and the message, parameter and code it is refused with. */
type Case = readonly [
  name: string,
  body: unknown,
  message: RegExp,
  param: string | null,
  code?: string
]

const field = (name: string, value: unknown) => ({ model: "m", messages: [user], [name]: value })
const messages = (...list: ReadonlyArray<unknown>) => ({ model: "m", messages: list })

const cases: ReadonlyArray<Case> = [
  ["no JSON", "{", /^We could not parse the JSON body/, null],
  ["an array", "[]", /^We could not parse the JSON body/, null],
  ["no model", { messages: [user] }, /^you must provide a model parameter$/, null],
  [
    "no messages",
    { model: "m" },
    /^Missing required parameter: 'messages'\.$/,
    "messages",
    "missing_required_parameter"
  ],
  [
    "empty messages",
    messages(),
    /^Invalid 'messages': empty array\. Expected an array with minimum length 1/,
    "messages",
    "empty_array"
  ],
  [
    "messages of another type",
    field("messages", "Hi"),
    /^Invalid type for 'messages': expected an array of objects, but got a string instead\.$/,
    "messages",
    "invalid_type"
  ],
  [
    "a model of another type",
    { model: 7, messages: [user] },
    /^Invalid type for 'model': expected a string, but got an integer/,
    "model",
    "invalid_type"
  ],
  [
    "an unknown field",
    field("maxTokens", 1),
    /^Unknown parameter: 'maxTokens'\.$/,
    "maxTokens",
    "unknown_parameter"
  ],
  [
    "an unknown field of a message",
    messages({ ...user, id: "1" }),
    /^Unknown parameter: 'messages\[0\]\.id'\.$/,
    "messages[0].id",
    "unknown_parameter"
  ],
  [
    "a bad role",
    messages(user, { role: "bot", content: "Hi" }),
    /^Invalid value: 'bot'\. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'\.$/,
    "messages[1].role",
    "invalid_value"
  ],
  [
    "no role",
    messages({ content: "Hi" }),
    /^Missing required parameter: 'messages\[0\]\.role'\.$/,
    "messages[0].role",
    "missing_required_parameter"
  ],
  [
    "no content",
    messages({ role: "user" }),
    /'messages\[0\]\.content'/,
    "messages[0].content",
    "missing_required_parameter"
  ],
  [
    "content of another type",
    messages({ role: "user", content: 7 }),
    /expected one of a string or array of objects, but got an integer instead\.$/,
    "messages[0].content",
    "invalid_type"
  ],
  [
    "a bad part",
    messages({ role: "user", content: [{ type: "picture" }] }),
    /^Invalid value: 'picture'/,
    "messages[0].content[0].type",
    "invalid_value"
  ],
  [
    "an image in a system message",
    messages({ role: "system", content: [{ type: "image_url", image_url: { url: "x" } }] }),
    /^Invalid value: 'image_url'\. Supported values are: 'text'\.$/,
    "messages[0].content[0].type",
    "invalid_value"
  ],
  [
    "temperature too high",
    field("temperature", 2.1),
    /^Invalid 'temperature': decimal above maximum value\. Expected a value <= 2, but got 2\.1 instead\.$/,
    "temperature",
    "decimal_above_max_value"
  ],
  [
    "temperature as text",
    field("temperature", "1"),
    /^Invalid type for 'temperature': expected a decimal, but got a string/,
    "temperature",
    "invalid_type"
  ],
  [
    "max_tokens of zero",
    field("max_tokens", 0),
    /^Invalid 'max_tokens': integer below minimum value\. Expected a value >= 1, but got 0 instead\.$/,
    "max_tokens",
    "integer_below_min_value"
  ],
  [
    "max_tokens as decimal",
    field("max_tokens", 1.5),
    /expected an integer, but got a decimal/,
    "max_tokens",
    "invalid_type"
  ],
  ["n too large", field("n", 129), /above maximum value/, "n", "integer_above_max_value"],
  [
    "too many stops",
    field("stop", ["a", "b", "c", "d", "e"]),
    /^Invalid 'stop': array too long/,
    "stop",
    "array_above_max_length"
  ],
  ["a stop that is no string", field("stop", [1]), /'stop\[0\]'/, "stop[0]", "invalid_type"],
  [
    "a bad reasoning effort",
    field("reasoning_effort", "huge"),
    /^Invalid value: 'huge'/,
    "reasoning_effort",
    "invalid_value"
  ],
  ["stream as text", field("stream", "yes"), /expected a boolean/, "stream", "invalid_type"],
  [
    "stream options without a stream",
    field("stream_options", { include_usage: true }),
    /only allowed when 'stream' is enabled/,
    "stream_options"
  ],
  [
    "top_logprobs without logprobs",
    field("top_logprobs", 2),
    /only allowed when 'logprobs' is enabled/,
    "top_logprobs"
  ],
  [
    "both limits of tokens",
    { ...field("max_tokens", 1), max_completion_tokens: 1 },
    /at the same time is not supported/,
    "max_tokens"
  ],
  [
    "no tools in the list",
    field("tools", []),
    /^Invalid 'tools': empty array/,
    "tools",
    "empty_array"
  ],
  [
    "a tool's bad name",
    field("tools", [{ type: "function", function: { name: "my tool" } }]),
    /string does not match pattern/,
    "tools[0].function.name",
    "invalid_value"
  ],
  [
    "tool_choice without tools",
    field("tool_choice", "auto"),
    /'tool_choice' is only allowed when 'tools' are specified/,
    "tool_choice"
  ],
  [
    "parallel_tool_calls without tools",
    field("parallel_tool_calls", true),
    /'parallel_tool_calls' is only allowed when/,
    "parallel_tool_calls"
  ],
  [
    "a tool_choice that is no tool",
    { ...field("tools", [weather]), tool_choice: { type: "function", function: { name: "x" } } },
    /^Tool choice 'x' not found/,
    "tool_choice"
  ],
  [
    "an unknown tool_choice",
    { ...field("tools", [weather]), tool_choice: "always" },
    /^Invalid value: 'always'/,
    "tool_choice",
    "invalid_value"
  ],
  [
    "a tool message from nowhere",
    messages(user, { role: "tool", tool_call_id: "x", content: "y" }),
    /^Invalid parameter: messages with role 'tool' must be a response/,
    "messages.[1].role"
  ],
  [
    "a tool call without its result",
    messages(
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: "{}" } }]
      },
      user
    ),
    /did not have response messages: call_1$/,
    "messages.[1].role"
  ],
  [
    "json_object without the word",
    field("response_format", { type: "json_object" }),
    /must contain the word 'json'/,
    "messages"
  ],
  [
    "an unknown response format",
    field("response_format", { type: "yaml" }),
    /^Invalid value: 'yaml'/,
    "response_format.type",
    "invalid_value"
  ],
  [
    "json_schema without its schema",
    field("response_format", { type: "json_schema" }),
    /'response_format\.json_schema'/,
    "response_format.json_schema",
    "missing_required_parameter"
  ],
  [
    "a strict schema that is open",
    field("response_format", {
      type: "json_schema",
      json_schema: { name: "s", strict: true, schema: { type: "object", properties: {} } }
    }),
    /^Invalid schema for response_format 's': In context=\(\), 'additionalProperties' is required to be supplied and to be false\.$/,
    "response_format"
  ],
  [
    "a strict schema with an optional field",
    field("response_format", {
      type: "json_schema",
      json_schema: {
        name: "s",
        strict: true,
        schema: {
          type: "object",
          properties: { a: { type: "object", properties: { b: {} }, additionalProperties: false } },
          required: ["a"],
          additionalProperties: false
        }
      }
    }),
    /In context=\('properties', 'a'\), 'required' is required.*Missing 'b'\.$/,
    "response_format"
  ],
  [
    "a strict schema of an array",
    field("response_format", {
      type: "json_schema",
      json_schema: { name: "s", strict: true, schema: { type: "array" } }
    }),
    /got 'type: "array"'\.$/,
    "response_format"
  ],
  [
    "a strict tool that is open",
    field("tools", [
      {
        type: "function",
        function: { name: "f", strict: true, parameters: { type: "object", properties: {} } }
      }
    ]),
    /^Invalid schema for function 'f'/,
    "tools[0].function.parameters",
    "invalid_function_parameters"
  ],
  [
    "more output than the model has",
    field("max_tokens", 1001),
    /^max_tokens is too large: 1001\. This model supports at most 1000 completion tokens, whereas you provided 1001\.$/,
    "max_tokens",
    "invalid_value"
  ],
  [
    "a parameter the model refuses",
    field("top_p", 0.5),
    /^Unsupported parameter: 'top_p' is not supported with this model\.$/,
    "top_p",
    "unsupported_parameter"
  ],
  [
    "a prompt larger than the context",
    messages({ role: "user", content: "x".repeat(9000) }),
    /^This model's maximum context length is 2000 tokens\. However, your messages resulted in 2257 tokens\./,
    "messages",
    "context_length_exceeded"
  ],
  [
    "prompt and output larger than the context",
    { ...messages({ role: "user", content: "x".repeat(4000) }), max_tokens: 994 },
    /However, you requested 2001 tokens \(1007 in the messages, 994 in the completion\)/,
    "messages",
    "context_length_exceeded"
  ]
]

describe("a wrong request", () => {
  for (const [name, body, message, param, code = null] of cases) {
    it.effect(`is refused as OpenAI refuses it: ${name}`, () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({
          contextWindow: 2000,
          maxOutputTokens: 1000,
          unsupportedParameters: ["top_p"]
        })
        const response = yield* respond(simulator, post(body))
        assert.strictEqual(response.status, 400)
        const error = errorOf(response)
        assert.match(error.message, message)
        assert.deepInclude(error, { type: "invalid_request_error", param, code })
        const stats = yield* simulator.stats
        assert.deepInclude(stats, { rejected: 1, peakRequestsPerMinute: 0 })
      })
    )
  }

  const recording = join(
    import.meta.dirname,
    "../../../../shared/wire/openai-chat/reasoning-model-legacy-parameter-error.json"
  )
  const missing = existsSync(recording) ? "" : ` (skipped: no recording at ${recording})`
  it.effect.skipIf(missing !== "")(`is refused in the words of a recorded refusal${missing}`, () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ unsupportedParameters: ["max_tokens"] })
      const response = yield* respond(simulator, chat("Hi", { max_tokens: 1 }))
      assert.deepStrictEqual(json(response), JSON.parse(readFileSync(recording, "utf8")))
    })
  )
})

describe("a right request", () => {
  it.effect("may use every documented field, and null where the reference allows it", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const everything = {
        model: "m",
        messages: [
          { role: "developer", content: "Be brief." },
          { role: "system", content: [{ type: "text", text: "Be kind." }] },
          {
            role: "user",
            name: "anna",
            content: [
              { type: "text", text: "Look" },
              { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } },
              { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
              { type: "file", file: { file_id: "file-1" } }
            ]
          },
          {
            role: "assistant",
            content: null,
            refusal: null,
            tool_calls: [
              { id: "call_1", type: "function", function: { name: "weather", arguments: "{}" } },
              { id: "call_2", type: "custom", custom: { name: "grep", input: "a" } }
            ]
          },
          { role: "tool", tool_call_id: "call_2", content: "b" },
          { role: "tool", tool_call_id: "call_1", content: [{ type: "text", text: "sunny" }] },
          { role: "assistant", content: [{ type: "text", text: "It is sunny." }] },
          { role: "user", content: "Thanks" }
        ],
        frequency_penalty: 0.5,
        logit_bias: { "50256": -100 },
        logprobs: true,
        max_completion_tokens: 100,
        metadata: { run: "1" },
        modalities: ["text"],
        n: 2,
        parallel_tool_calls: true,
        prediction: null,
        presence_penalty: null,
        prompt_cache_key: "k",
        prompt_cache_retention: "24h",
        reasoning_effort: "minimal",
        response_format: { type: "text" },
        safety_identifier: "s",
        seed: 1,
        service_tier: "auto",
        stop: null,
        store: false,
        stream: true,
        stream_options: { include_usage: true, include_obfuscation: false },
        temperature: 0.7,
        tool_choice: "auto",
        tools: [
          weather,
          { type: "custom", custom: { name: "grep", description: "d", format: { type: "text" } } }
        ],
        top_logprobs: 1,
        top_p: 1,
        user: "u",
        verbosity: "low",
        web_search_options: {}
      }
      const response = yield* respond(simulator, post(everything))
      assert.strictEqual(response.status, 200)
    })
  )
})
