/**
 * OpenAI's text completions as a protocol: the endpoint of base models, which goes on with a prompt as it stands.
 *
 * Its answers are read like those of the chat endpoint (`ChatAnswer`, `ChatStream`): only where a choice has its text differs.
 *
 * **Details**: the prompt is sent verbatim, one text. What the endpoint has and our options have not (`suffix`, `echo`,
 * `best_of`) goes into `extraBody`. `logprobs` is a number here: `topLogprobs`, or 1.
 *
 * **Source**: OpenAI API reference, "Create completion" (legacy); vLLM, `CompletionRequest` (read November 2026).
 *
 * @since 0.1.0
 */
import type { GenerateRequest } from "@infermesh/core/operation/Generate"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import type * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"

import type { Json, OptionFields } from "../RequestBody.ts"
import { encodeOptions, merge, unsupported } from "../RequestBody.ts"
import * as ChatProtocol from "./ChatProtocol.ts"
import type { Dialect } from "./Dialect.ts"
import type { GenerateProtocol } from "./GenerateProtocol.ts"
import * as OutputFormat from "./OutputFormat.ts"

// ---- request body

/** Our option names as the API's. */
const fields: OptionFields = { ...ChatProtocol.sharedFields, logprobs: true, topLogprobs: true }

// ---- encode

/**
 * The body of a request, but for `model` and what the deployment adds.
 *
 * **Errors**: `Unsupported` for what the endpoint, or the vendor's, cannot be told: tools above all.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  request: GenerateRequest,
  dialect: Dialect
): Result.Result<Json, AttemptError> => {
  const { options, output, tools } = request
  const provider = `${dialect.name}'s text_completion endpoint`
  const refuse = (feature: string) =>
    Result.fail(unsupported(provider, feature, "Use the chat_completion endpoint"))
  // `auto` and `none` ask for nothing where there are no tools.
  if (tools.length > 0 || isDemand(request)) return refuse("tools")
  if (output !== undefined && dialect.completionOutput !== true) return refuse("structured output")
  const prompt = promptText(request.prompt)
  if (prompt === undefined) return refuse("a prompt of several messages or parts")
  const known = { ...fields, ...dialect.completionOptions }
  return Result.map(encodeOptions(provider, options, known), (asked) =>
    merge(
      {
        prompt,
        ...asked,
        ...ChatProtocol.logprobCount(options),
        ...(output === undefined ? {} : OutputFormat.chat.bySchema(output))
      },
      options.extraBody
    )
  )
}

const isDemand = ({ toolChoice }: GenerateRequest): boolean =>
  toolChoice === "required" || typeof toolChoice === "object"

const promptText = ({ content: [message, ...others] }: Prompt.Prompt): string | undefined => {
  if (message?.role !== "user" || others.length > 0) return undefined
  const [part, ...more] = message.content
  return part?.type === "text" && more.length === 0 ? part.text : undefined
}

// ---- protocol

/**
 * The `/completions` endpoint.
 *
 * @category protocols
 * @since 0.1.0
 */
export const protocol: GenerateProtocol = { ...ChatProtocol.protocol, path: "/completions", encode }
