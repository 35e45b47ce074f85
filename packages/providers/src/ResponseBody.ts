/**
 * What vendors do alike with the text of a response: read it as JSON of the expected form, or say what is wrong with it.
 *
 * Which form is expected, the vendor's protocol says.
 *
 * @since 0.1.0
 */
import type { TokenUsage } from "@infermesh/core/operation/Usage"
import type { Fault } from "@infermesh/core/provider/HttpFault"
import { statusError } from "@infermesh/core/provider/HttpFault"
import { AttemptError } from "@infermesh/core/provider/Provider"
import type { Headers } from "@infermesh/core/provider/ResponseHeaders"
import * as AiError from "effect/ai/AiError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/**
 * A field that may be absent or null: vendors do not agree which, and neither changes what it means.
 *
 * @category schemas
 * @since 0.1.0
 */
export const nullish = <T, E>(schema: Schema.Codec<T, E>) =>
  Schema.optionalKey(Schema.NullOr(schema))

/**
 * A number that may be absent or null.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Count = nullish(Schema.Finite)

/**
 * What was read: the fields that are used, and the whole JSON they stood in.
 *
 * @category models
 * @since 0.1.0
 */
export interface Read<A> {
  readonly value: A
  readonly json: unknown
}

/**
 * A reader of texts of one form.
 *
 * **Errors**: a text that is visibly cut is a broken connection, which may be tried again; anything else that is no JSON, or
 * not of this form, is an `InvalidResponseError`.
 *
 * @category models
 * @since 0.1.0
 */
export type Reader<A> = (text: string, url: string) => Result.Result<Read<A>, AttemptError>

/**
 * Builds a reader; `form` names the form in its errors.
 *
 * **Details**: `isPlain` knows some values by a look, which are then not decoded: what arrives thousands of times a second.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reader =
  <A>(
    form: string,
    read: (value: unknown) => Result.Result<A, Schema.SchemaError>,
    isPlain?: (value: unknown) => value is A
  ): Reader<A> =>
  (text, url) => {
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      return Result.fail(
        isCut(text)
          ? cut(url, "the response body was cut short")
          : invalid(`the body is no JSON: ${text.trim().slice(0, 80)}`)
      )
    }
    if (isPlain?.(json) === true) return Result.succeed({ value: json, json })
    return Result.mapBoth(read(json), {
      onSuccess: (value) => ({ value, json }),
      onFailure: (error) =>
        invalid(`the body is no ${form}: ${error.message.replaceAll(/\s+/g, " ")}`)
    })
  }

/** Whether a text is the beginning of a JSON text: something that was opened is never closed. */
const isCut = (text: string): boolean => {
  const bare = text.trim()
  if (bare === "") return true
  if (!/^[[{]/.test(bare)) return false
  let depth = 0
  let inString = false
  for (let index = 0; index < bare.length; index++) {
    const char = bare[index]
    if (inString) {
      if (char === "\\") index++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === "{" || char === "[") depth++
    else if (char === "}" || char === "]") depth--
  }
  return inString || depth > 0
}

/**
 * The JSON of a call's arguments, or the text where it is none: a model can be cut off in the middle of it.
 *
 * @category getters
 * @since 0.1.0
 */
export const parsedOrText = (source: string): unknown => {
  try {
    return JSON.parse(source)
  } catch {
    return source
  }
}

/**
 * The failure of a connection that ended too early; it may be tried again.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cut = (url: string, description: string): AttemptError =>
  new AttemptError({
    reason: new AiError.NetworkError({
      reason: "TransportError",
      method: "POST",
      url,
      description
    }),
    outcome: "unknown"
  })

/**
 * The failure of a response that is not what the endpoint should send.
 *
 * @category constructors
 * @since 0.1.0
 */
export const invalid = (description: string, usage?: TokenUsage): AttemptError =>
  new AttemptError({
    reason: new AiError.InvalidResponseError({ description }),
    outcome: "unknown",
    usage
  })

/**
 * What is known about a response before its body is read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Context {
  /** The model that was asked. */
  readonly model: string
  /** Without a query, in which a key could stand. */
  readonly url: string
  readonly headers: Headers
  /** Milliseconds since 1970. */
  readonly nowMillis: number
}

/**
 * How a vendor's errors are read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Faults {
  readonly statusOf: (error: unknown) => number
  readonly classify: (model: string) => (status: number, body: string) => Fault
}

/**
 * The failure of an error that came with status 200: inside a whole response, or as an event of a stream. It means what it
 * means as a response of its own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const inBand = (error: unknown, faults: Faults, context: Context): AttemptError => {
  const status = faults.statusOf(error)
  const body = JSON.stringify({ error })
  return statusError({
    status,
    headers: context.headers,
    body,
    fault: faults.classify(context.model)(status, body),
    nowMillis: context.nowMillis
  })
}
