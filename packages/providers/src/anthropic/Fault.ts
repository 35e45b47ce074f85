/**
 * What Anthropic means by an error: what was said, and the reason where its type or words say more than the HTTP status.
 *
 * **Source**: Claude documentation, "Errors" (read November 2026).
 *
 * @since 0.1.0
 */
import type { Fault } from "@infermesh/core/provider/HttpFault"
import { ContextWindowExceeded, ModelNotFound } from "@infermesh/core/Reason"
import * as AiError from "effect/ai/AiError"

import { isRecord } from "../RequestBody.ts"

/** The status that goes with each type; errors inside a stream come without one. */
const statuses: { readonly [type: string]: number } = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529
}

/**
 * The status of an error that came inside a response with status 200.
 *
 * @category parsing
 * @since 0.1.0
 */
export const statusOf = (error: unknown): number =>
  isRecord(error) && typeof error["type"] === "string" ? (statuses[error["type"]] ?? 500) : 500

/**
 * Reads an error body: the API's own JSON, or the text of something that stands before it.
 *
 * @category parsing
 * @since 0.1.0
 */
export const classify =
  (model: string) =>
  (status: number, body: string): Fault => {
    const { message, type } = read(body)
    return {
      message,
      parameter: message === undefined ? undefined : parameterPath.exec(message)?.[1],
      make: reason(status, type, message ?? "", model)
    }
  }

interface Words {
  readonly type: string
  readonly message: string | undefined
}

const read = (body: string): Words => {
  try {
    const parsed: unknown = JSON.parse(body)
    const error: unknown = isRecord(parsed) ? (parsed["error"] ?? parsed) : parsed
    if (!isRecord(error))
      return { type: "", message: typeof error === "string" ? error : undefined }
    const { message, type } = error
    return {
      type: typeof type === "string" ? type : "",
      message: typeof message === "string" ? message : undefined
    }
  } catch {
    const text = body.replaceAll(/<[^>]*>/g, " ").trim()
    return { type: "", message: text === "" ? undefined : text }
  }
}

/** The API puts the field it complains about before the complaint: `messages.0.content: …`. */
const parameterPath = /^([a-z_]+(?:\.[\w]+)*): /

const contextWindow = /prompt is too long|exceed context limit|context window/i
const credit = /credit balance|reached your specified .*usage limit/i
const filtered = /content filtering policy/i

const reason = (status: number, type: string, message: string, model: string): Fault["make"] => {
  if (type === "billing_error" || (status < 429 && credit.test(message))) {
    return (_, http) => new AiError.QuotaExhaustedError({ http })
  }
  // A model that is not known is named; a path that is not known is not.
  if (type === "not_found_error" && /model/i.test(message)) {
    return (description, http) => new ModelNotFound({ model, description, http })
  }
  if (type !== "invalid_request_error") return undefined
  if (contextWindow.test(message)) {
    return (description, http) => new ContextWindowExceeded({ description, http })
  }
  if (filtered.test(message)) {
    return (description, http) => new AiError.ContentPolicyError({ description, http })
  }
  return undefined
}
