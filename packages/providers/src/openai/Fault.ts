/**
 * Error bodies of OpenAI and the servers that imitate it: what was said, and the reason where the code says more than the
 * HTTP status.
 *
 * **Source**: OpenAI "Error codes"; vLLM, Groq, DeepSeek and Azure word the same cases in their own ways (read November 2026).
 *
 * @since 0.1.0
 */
import type { Fault } from "@infermesh/core/provider/HttpFault"
import { ContextWindowExceeded, ModelNotFound } from "@infermesh/core/Reason"
import * as AiError from "effect/ai/AiError"

interface Words {
  readonly message: string | undefined
  readonly code: string
  readonly type: string
  readonly parameter: string | undefined
}

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
 * Reads an error that came as a value: inside a response with status 200, or an event of a stream.
 *
 * @category parsing
 * @since 0.1.0
 */
export const statusOf = (error: unknown): number => {
  const { code, type } = wordsOf(error)
  const status = Number(code)
  if (status >= 400 && status < 600) return status
  const words = code + type
  // A spent account is told as too many requests are; what makes them two is `classify`'s matter.
  if (/rate_limit|too_many|insufficient_quota/.test(words)) return 429
  if (/authentication|invalid_api_key/.test(words)) return 401
  if (/overloaded|slow_down/.test(words)) return 503
  if (/server_error/.test(words)) return 500
  if (/invalid|not_found|unsupported|image|context_length|policy/.test(words)) return 400
  return 500
}

const read = (body: string): Words => {
  try {
    const parsed: unknown = JSON.parse(body)
    const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed
    const error = isRecord(first) ? (first["error"] ?? first) : first
    return wordsOf(error)
  } catch {
    const text = body.replaceAll(/<[^>]*>/g, " ").trim()
    return { message: text === "" ? undefined : text, code: "", type: "", parameter: undefined }
  }
}

const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null

const wordsOf = (error: unknown): Words => {
  if (typeof error === "string") return { message: error, code: "", type: "", parameter: undefined }
  if (!isRecord(error)) return { message: undefined, code: "", type: "", parameter: undefined }
  const { code, detail, message, param, type } = error
  const said = message ?? detail
  return {
    message:
      said === undefined ? undefined : typeof said === "string" ? said : JSON.stringify(said),
    code: typeof code === "string" || typeof code === "number" ? String(code) : "",
    type: typeof type === "string" ? type : "",
    parameter: typeof param === "string" ? param : undefined
  }
}

const contextWindow =
  /context_length_exceeded|maximum context length|context window|too many tokens.*prompt|prompt is too long/i
const billing =
  /insufficient_quota|billing|insufficient balance|exceeded your current quota|credit/i
const content = /content_filter|content_policy|responsible ?ai/i
const unknownModel =
  /model_not_found|model .*(does not exist|not found|not exist)|DeploymentNotFound/i

const reason = (words: Words, status: number, model: string): Fault["make"] => {
  const all = `${words.code} ${words.type} ${words.message ?? ""}`
  if ((status === 429 || status === 402 || status === 403) && billing.test(all)) {
    return (_, http) => new AiError.QuotaExhaustedError({ http })
  }
  if (status === 429 || status >= 500) return undefined
  if (contextWindow.test(all)) {
    return (description, http) => new ContextWindowExceeded({ description, http })
  }
  if (content.test(`${words.code} ${words.type}`)) {
    return (description, http) => new AiError.ContentPolicyError({ description, http })
  }
  if (unknownModel.test(all)) {
    return (description, http) => new ModelNotFound({ model, description, http })
  }
  return undefined
}
