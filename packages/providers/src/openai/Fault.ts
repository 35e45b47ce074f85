/**
 * Error bodies of OpenAI and the servers that imitate it: what was said, and the reason where the words say more than the HTTP
 * status.
 *
 * Vendors agree on the status and on little else, so codes, types and messages are searched for the words of all of them.
 *
 * **Source**: OpenAI "Error codes"; the errors of vLLM, SGLang, llama.cpp, Azure, Groq, DeepSeek, Mistral, xAI, OpenRouter,
 * Together, Fireworks and Hugging Face, as their references and the reports of their users show them; some are not recorded.
 *
 * @since 0.1.0
 */
import type { Fault } from "@infermesh/core/provider/HttpFault"
import { ContextWindowExceeded, ModelNotFound } from "@infermesh/core/Reason"
import * as AiError from "effect/ai/AiError"

import type { Json } from "../RequestBody.ts"
import { isRecord } from "../RequestBody.ts"

interface Words {
  readonly message: string | undefined
  readonly code: string
  readonly type: string
  readonly parameter: string | undefined
}

const silent: Words = { message: undefined, code: "", type: "", parameter: undefined }

/**
 * Reads an error body, whatever it is: JSON in one of several shapes, text or HTML.
 *
 * @category parsing
 * @since 0.1.0
 */
export const classify =
  (model: string) =>
  (status: number, body: string): Fault => {
    const words = read(body)
    return {
      message: words.message,
      parameter: words.parameter,
      make: reason(words, status, model)
    }
  }

/**
 * The status of an error that came as a value: inside a response with status 200, or an event of a stream.
 *
 * @category parsing
 * @since 0.1.0
 */
export const statusOf = (error: unknown): number => {
  const { code, type } = wordsOf(error)
  const status = isRecord(error) ? error["status"] : undefined
  for (const number of [Number(code), Number(status)]) {
    if (number >= 400 && number < 600) return number
  }
  const words = `${code} ${type}`.toLowerCase()
  // A spent account is told as too many requests are; what makes them two is `classify`'s matter.
  if (/rate_?limit|too_?many|insufficient_quota/.test(words)) return 429
  if (/authentication|invalid_api_key/.test(words)) return 401
  if (/overloaded|slow_down|unavailable/.test(words)) return 503
  if (/server_?error/.test(words)) return 500
  if (/invalid|bad_?request|not_?found|unsupported|image|context_|policy|filter/.test(words)) {
    return 400
  }
  return 500
}

// ---- words

const read = (body: string): Words => {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    const text = body.replaceAll(/<[^>]*>/g, " ").trim()
    return { ...silent, message: text === "" ? undefined : text }
  }
  const whole: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  if (!isRecord(whole)) return wordsOf(whole)
  const { error } = whole
  if (error === undefined || error === null) return wordsOf(whole)
  const words = wordsOf(error)
  // xAI has its code beside the error, which is a text.
  return {
    ...words,
    code: words.code || word(whole["code"]),
    type: words.type || word(whole["type"])
  }
}

const wordsOf = (error: unknown): Words => {
  if (typeof error === "string") return { ...silent, message: error }
  if (Array.isArray(error)) return { ...silent, message: complaint(error) }
  if (!isRecord(error)) return silent
  const { code, detail, innererror, message, metadata, param, type } = error
  const said = complaint(message ?? detail)
  const raw = isRecord(metadata) ? complaint(metadata["raw"]) : undefined
  return {
    // OpenRouter's own message says only that a provider failed, and the provider's is beside it.
    message: raw === undefined ? said : `${said ?? "The provider failed"}: ${raw}`,
    code: [word(code), isRecord(innererror) ? word(innererror["code"]) : ""]
      .filter((one) => one !== "")
      .join(" "),
    type: word(type),
    parameter: typeof param === "string" ? param : (place(message) ?? place(detail))
  }
}

const word = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : ""

/** A text, or the complaints of a validator: each with the place it complains about. */
const complaint = (value: unknown): string | undefined => {
  if (value === undefined || value === null || value === "") return undefined
  if (typeof value === "string") return value
  const list = complaints(value)
  return list === undefined
    ? JSON.stringify(value)
    : list.map((one) => [...(loc(one) ?? []), word(one["msg"])].join(": ")).join("; ")
}

const complaints = (value: unknown): ReadonlyArray<Json> | undefined => {
  const list = isRecord(value) ? value["detail"] : value
  return Array.isArray(list) && list.length > 0 && list.every(isComplaint) ? list : undefined
}

const isComplaint = (value: unknown): value is Json => isRecord(value) && "msg" in value

/** `["body", "messages", 0]` is `messages.0`. */
const loc = ({ loc: path }: Json): readonly [string] | undefined => {
  const steps = Array.isArray(path) ? path.filter((step) => step !== "body") : []
  return steps.length === 0 ? undefined : [steps.join(".")]
}

const place = (value: unknown): string | undefined => {
  const [first] = complaints(value) ?? []
  return first === undefined ? undefined : loc(first)?.[0]
}

// ---- reasons

const contextWindow =
  /context_length_exceeded|exceed_context_size|maximum (?:context|prompt) length|context window|(?:model'?s|the available) context (?:length|size|limit)|context length (?:is|of) only|greater than the context length|too many tokens.*prompt|prompt is too long|tokens.* must be <=/i
const spent =
  /insufficient[_ ](?:quota|balance|credits?|funds)|check your plan and billing|billing_hard_limit|exceeded your (?:current quota|monthly)|used all available credits|credit (?:balance|limit)|spend(?:ing)?[ _]limit|key limit exceeded|out of credits?/i
const rateLimit = /rate_?limit|too_?many_?requests/i
const filtered =
  /content_filter|content_policy|moderation_blocked|responsible ?ai|content exists risk|violates usage guidelines|input was flagged|usage polic|safety system/i
const unknownModel =
  /model_not_(?:found|available|supported)|invalid[_ ]model|not a valid model|\bmodel\b.{0,120}(?:does not exist|not found|not exist)|unable to access model|DeploymentNotFound/i
const wrongKey = /invalid_api_key|(?:incorrect|invalid) api key/i

const reason = (words: Words, status: number, model: string): Fault["make"] => {
  const { code, message, type } = words
  const all = `${code} ${type} ${message ?? ""}`
  if (status === 429 || status === 402 || status === 403 || status === 412) {
    // The message of a rate limit may advertise a plan, too.
    if (spent.test(all) && !rateLimit.test(code)) {
      return (_, http) => new AiError.QuotaExhaustedError({ http })
    }
  }
  if (status === 429 || status === 401 || status >= 500) return undefined
  if (contextWindow.test(all)) {
    return (description, http) => new ContextWindowExceeded({ description, http })
  }
  if (filtered.test(all)) {
    return (description, http) => new AiError.ContentPolicyError({ description, http })
  }
  if (unknownModel.test(all)) {
    return (description, http) => new ModelNotFound({ model, description, http })
  }
  if (status === 400 && wrongKey.test(all)) {
    return (description, http) =>
      new AiError.AuthenticationError({ kind: "InvalidKey", description, http })
  }
  return undefined
}
