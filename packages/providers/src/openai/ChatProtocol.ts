/**
 * OpenAI's chat completions as a protocol: what is asked, and how the answer is read.
 *
 * It opens no connection (`Compatible` does), writes no message (`Messages`), and knows no vendor but by its `Dialect`. Answers
 * are read in `ChatAnswer` and `ChatStream`.
 *
 * **Source**: OpenAI API reference, "Create chat completion" (read November 2026).
 *
 * @since 0.1.0
 */
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
import type { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import type { ToolChoice, ToolDefinition } from "@infermesh/core/operation/ToolCall"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import * as Result from "effect/Result"

import * as PartStream from "../PartStream.ts"
import type { Json, OptionFields } from "../RequestBody.ts"
import { encodeOptions, merge } from "../RequestBody.ts"
import * as ChatAnswer from "./ChatAnswer.ts"
import * as ChatStream from "./ChatStream.ts"
import type { Dialect } from "./Dialect.ts"
import type { GenerateProtocol } from "./GenerateProtocol.ts"
import * as Messages from "./Messages.ts"
import * as OutputFormat from "./OutputFormat.ts"

// ---- request body

/**
 * Our option names as those of both endpoints for text.
 *
 * @category constants
 * @since 0.1.0
 */
export const sharedFields: OptionFields = {
  temperature: "temperature",
  topP: "top_p",
  maxTokens: "max_tokens",
  stop: "stop",
  seed: "seed",
  n: "n",
  presencePenalty: "presence_penalty",
  frequencyPenalty: "frequency_penalty",
  user: "user"
}

/** Those of this one; OpenAI has no `topK`, which many servers have. */
const fields: OptionFields = {
  ...sharedFields,
  logprobs: "logprobs",
  topLogprobs: "top_logprobs",
  reasoningEffort: "reasoning_effort",
  serviceTier: "service_tier",
  metadata: "metadata"
}

// ---- encode

/**
 * The body of a request, but for `model` and what the deployment adds.
 *
 * **Errors**: `Unsupported` for what the vendor cannot be told.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  request: GenerateRequest,
  dialect: Dialect
): Result.Result<Json, AttemptError> => {
  const { options } = request
  const counted = dialect.countsLogprobs === true ? { logprobs: true, topLogprobs: true } : {}
  const asked = encodeOptions(dialect.name, options, { ...fields, ...counted, ...dialect.options })
  if (Result.isFailure(asked)) return asked
  const format = OutputFormat.encode(request, dialect, OutputFormat.chat)
  if (Result.isFailure(format)) return Result.fail(format.failure)
  return Result.map(Messages.encode(format.success.request.prompt, dialect), (messages) =>
    merge(
      {
        messages,
        ...asked.success,
        ...(dialect.countsLogprobs === true ? logprobCount(options) : {}),
        ...format.success.fields,
        ...toolFields(request)
      },
      options.extraBody
    )
  )
}

/**
 * The field of log-probabilities where it is a number: how many alternatives come with each token, at least one.
 *
 * @category encoding
 * @since 0.1.0
 */
export const logprobCount = ({ logprobs, topLogprobs = 0 }: ModelOptions): Json =>
  logprobs === true || topLogprobs > 0 ? { logprobs: Math.max(1, topLogprobs) } : {}

const toolFields = ({ options, toolChoice, tools }: GenerateRequest): Json => {
  // The API refuses a choice among no tools, and there `auto` and `none` say nothing.
  if (tools.length === 0 && options.extraBody?.["tools"] === undefined) return {}
  return {
    ...(tools.length === 0 ? {} : { tools: tools.map(toTool) }),
    ...(toolChoice === undefined ? {} : { tool_choice: toToolChoice(toolChoice) })
  }
}

const toTool = ({ description, name, parameters, strict }: ToolDefinition): Json => ({
  type: "function",
  function: {
    name,
    ...(description === undefined ? {} : { description }),
    parameters,
    ...(strict === undefined ? {} : { strict })
  }
})

const toToolChoice = (choice: ToolChoice): string | Json =>
  typeof choice === "object" ? { type: "function", function: { name: choice.tool } } : choice

// ---- protocol

/**
 * What asks for a stream, with its usage where the vendor must be asked for that.
 *
 * @category encoding
 * @since 0.1.0
 */
export const streamFields = ({ streamUsage }: Dialect): Json =>
  streamUsage === false
    ? { stream: true }
    : { stream: true, stream_options: { include_usage: true } }

/**
 * The `/chat/completions` endpoint.
 *
 * @category protocols
 * @since 0.1.0
 */
export const protocol: GenerateProtocol = {
  path: "/chat/completions",
  encode,
  streamFields,
  answer: (text, context) =>
    Result.flatMap(ChatAnswer.parse(text, context.url), (body) => ChatAnswer.decode(body, context)),
  stream: (events, context) => PartStream.decode(events, ChatStream.machine(context))
}
