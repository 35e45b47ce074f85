/**
 * From a `Prompt` to the `systemInstruction` and `contents` of Gemini's API.
 *
 * What a part has under `options.gemini` goes into its API part: above all `thoughtSignature`, without which newer models
 * refuse their own tool calls. Messages of one side that follow each other become one.
 *
 * **Details**: reasoning without a signature is another provider's, which this API does not take, and stays behind.
 *
 * **Source**: Gemini API documentation, "Generating content", "Function calling" and "Thought signatures" (read November 2026).
 *
 * @since 0.1.0
 */
import { AttemptError } from "@infermesh/core/provider/Provider"
import type * as Prompt from "effect/ai/Prompt"
import * as Result from "effect/Result"

import * as Media from "../Media.ts"
import type { Json } from "../RequestBody.ts"
import { isRecord, unsupported } from "../RequestBody.ts"
import { abilities } from "./Models.ts"

/**
 * The conversation as the API takes it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Conversation {
  readonly systemInstruction: Json | undefined
  readonly contents: ReadonlyArray<Json>
}

const provider = "gemini"

/**
 * How the ids begin that are given to tool calls the API gave none: they are not sent to it.
 *
 * @category constants
 * @since 0.1.0
 */
export const ownIdPrefix = "gemini-call-"

/** What the API takes in place of a signature it did not make. Source: "Thought signatures", questions and answers. */
const noSignature = "skip_thought_signature_validator"

/**
 * The conversation of a prompt; fails for a part that the API has no form for.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  prompt: Prompt.Prompt,
  model: string
): Result.Result<Conversation, AttemptError> => {
  const system: Array<Json> = []
  const contents: Array<{ readonly role: string; readonly parts: Array<Json> }> = []
  for (const message of prompt.content) {
    if (message.role === "system") {
      if (contents.length > 0) return Result.fail(lateSystem)
      system.push({ text: message.content })
      continue
    }
    const parts = toParts(message, model)
    if (parts instanceof AttemptError) return Result.fail(parts)
    const role = message.role === "assistant" ? "model" : "user"
    const last = contents.at(-1)
    if (last?.role === role) last.parts.push(...parts)
    else if (parts.length > 0) contents.push({ role, parts: [...parts] })
  }
  return Result.succeed({
    systemInstruction: system.length === 0 ? undefined : { parts: system },
    contents
  })
}

const lateSystem = unsupported(
  provider,
  "a system message in the middle of a conversation",
  "Put system messages first"
)

type Message = Exclude<Prompt.Message, Prompt.SystemMessage>

const toParts = (message: Message, model: string): ReadonlyArray<Json> | AttemptError => {
  const { name, refusal } = openai(message.options)
  if (name !== undefined && message.role !== "tool") {
    return unsupported(provider, "a message's 'name'", "Write the name into the text")
  }
  const parts: Array<Json> = []
  for (const part of message.content) {
    const one = toPart(part)
    if (one instanceof AttemptError) return one
    if (one !== undefined) parts.push(one)
  }
  if (typeof refusal === "string" && refusal !== "" && parts.length === 0) {
    parts.push({ text: refusal })
  }
  return message.role === "assistant" && abilities(model).signedCalls ? signed(parts) : parts
}

/**
 * Of several calls at once only the first bears a signature, so the first one is asked for it.
 */
const signed = (parts: ReadonlyArray<Json>): ReadonlyArray<Json> => {
  const first = parts.findIndex((part) => part["functionCall"] !== undefined)
  return parts.map((part, index) =>
    index === first && part["thoughtSignature"] === undefined
      ? { ...part, thoughtSignature: noSignature }
      : part
  )
}

/** What the caller, or an answer before, gave for this API. */
const gemini = (options: Prompt.ProviderOptions): Json => {
  const given = options["gemini"]
  return isRecord(given) ? given : {}
}

/** What messages in OpenAI's format brought in and a `Prompt` has no field for. */
const openai = (options: Prompt.ProviderOptions): Json => {
  const given = options["openai"]
  return isRecord(given) ? given : {}
}

/** One part; `undefined` for one that has nothing to say to this API. */
const toPart = (part: Message["content"][number]): Json | AttemptError | undefined => {
  switch (part.type) {
    case "text": {
      const given = gemini(part.options)
      // A signature can come with no text, and must go back like that.
      return part.text === "" && given["thoughtSignature"] === undefined
        ? undefined
        : { text: part.text, ...given }
    }
    case "file":
      return filePart(part)
    case "reasoning": {
      const given = gemini(part.options)
      return given["thoughtSignature"] === undefined
        ? undefined
        : { text: part.text, thought: true, ...given }
    }
    case "tool-call":
      return functionCall(part)
    case "tool-result":
      return functionResponse(part)
    case "tool-approval-request":
    case "tool-approval-response":
      return undefined
  }
}

const filePart = (part: Prompt.FilePart): Json | AttemptError => {
  const { part: whole, ...given } = gemini(part.options)
  if (isRecord(whole)) return whole
  const { block, file_id: fileId } = openai(part.options)
  if (isRecord(block)) {
    return unsupported(provider, `content blocks of type '${String(block["type"])}'`)
  }
  const mimeType = Media.mediaType(part)
  const isKnown = !mimeType.endsWith("/*") && mimeType !== "application/octet-stream"
  const url = typeof fileId === "string" ? fileId : Media.address(part.data)
  if (url !== undefined) {
    return { fileData: { fileUri: url, ...(isKnown ? { mimeType } : {}) }, ...given }
  }
  if (!isKnown && mimeType !== "image/*") {
    return unsupported(provider, `files of type ${mimeType}`, "Give the exact media type")
  }
  return {
    inlineData: {
      mimeType: isKnown ? mimeType : "image/jpeg",
      data: Media.base64(part.data as string | Uint8Array)
    },
    ...given
  }
}

const callId = (id: string): Json => (id === "" || id.startsWith(ownIdPrefix) ? {} : { id })

const functionCall = (part: Prompt.ToolCallPart): Json | AttemptError => {
  const args = part.params === "" || part.params === undefined ? {} : part.params
  if (!isRecord(args)) {
    return unsupported(
      provider,
      `a call of tool '${part.name}' whose arguments are no JSON object`,
      "Leave the broken call out of the messages"
    )
  }
  return { functionCall: { ...callId(part.id), name: part.name, args }, ...gemini(part.options) }
}

const functionResponse = (part: Prompt.ToolResultPart): Json | AttemptError => {
  if (part.name === "") {
    return unsupported(
      provider,
      `the result of tool call '${part.id}', which no message asked for`,
      "Put the message with the tool call before it"
    )
  }
  const output = modelOutput(part)
  if (output instanceof AttemptError) return output
  return {
    functionResponse: { ...callId(part.id), name: part.name, ...output },
    ...gemini(part.options)
  }
}

/** The API reads `output` and `error` of a response; an object without them is the output itself. */
const modelOutput = (part: Prompt.ToolResultPart): Json | AttemptError => {
  const { isFailure, modelOutput: given, result } = part
  if (given === undefined) {
    if (isFailure) return { response: { error: result } }
    return { response: isRecord(result) ? result : { output: result } }
  }
  const parts: Array<Json> = []
  const texts: Array<string> = []
  for (const one of given) {
    if (one.type === "text") {
      texts.push(one.text)
      continue
    }
    const file = filePart(one)
    if (file instanceof AttemptError) return file
    parts.push(file)
  }
  return {
    response: { [isFailure ? "error" : "output"]: texts.join("\n") },
    ...(parts.length === 0 ? {} : { parts })
  }
}
