/**
 * What vendors do alike on the way out: extra fields put into a body, and options refused that the format cannot say.
 *
 * It knows no vendor's fields.
 *
 * @since 0.1.0
 */
import type { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import { AttemptError } from "@infermesh/core/provider/Provider"
import { Unsupported } from "@infermesh/core/Reason"
import * as Result from "effect/Result"

/**
 * A part of a request or response body.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = { readonly [key: string]: unknown }

/**
 * Whether a value is an object with named fields.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * Puts the fields of one body over those of another: objects are merged, any other value is replaced.
 *
 * **Details**: an extra field deep inside (`generationConfig.thinkingConfig`) therefore leaves its neighbours alone. Only
 * `tools` at the top is a list that grows: tools of the vendor's own stand beside those of the request.
 *
 * @category combinators
 * @since 0.1.0
 */
export const merge = (body: Json, extra: Json | undefined): Json => {
  if (extra === undefined) return body
  const merged = mergeFields(body, extra)
  const [ours, theirs] = [body["tools"], extra["tools"]]
  return Array.isArray(ours) && Array.isArray(theirs)
    ? { ...merged, tools: [...(ours as ReadonlyArray<unknown>), ...(theirs as Array<unknown>)] }
    : merged
}

const mergeFields = (body: Json, extra: Json): Json => {
  const merged: Record<string, unknown> = { ...body }
  for (const [key, value] of Object.entries(extra)) {
    const known = merged[key]
    merged[key] = isRecord(known) && isRecord(value) ? mergeFields(known, value) : value
  }
  return merged
}

/**
 * The failure of asking a vendor for what it has not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unsupported = (provider: string, feature: string, hint?: string): AttemptError =>
  new AttemptError({ reason: new Unsupported({ provider, feature, hint }), outcome: "unsent" })

/** Values that ask for nothing: leaving them out says the same. */
const neutral: { readonly [K in keyof ModelOptions]?: ModelOptions[K] } = {
  n: 1,
  logprobs: false,
  topLogprobs: 0,
  presencePenalty: 0,
  frequencyPenalty: 0
}

/**
 * The failure for the first option that is set and that the vendor cannot be told; `undefined` when there is none.
 *
 * @category guards
 * @since 0.1.0
 */
export const refuseOptions = (
  provider: string,
  options: ModelOptions,
  names: ReadonlyArray<keyof ModelOptions>
): AttemptError | undefined => {
  const name = names.find((one) => options[one] !== undefined && options[one] !== neutral[one])
  return name === undefined
    ? undefined
    : unsupported(provider, `the option '${name}'`, "Leave it out for this provider")
}

/**
 * The options that a model is asked with, but for what goes around the body's own fields.
 *
 * @category models
 * @since 0.1.0
 */
export type ModelOption = Exclude<keyof ModelOptions, "extraBody" | "headers">

/**
 * The body's field of each option; `true` for one that is written in another way, `false` (or nothing) for one that the
 * format does not know.
 *
 * @category models
 * @since 0.1.0
 */
export type OptionFields = { readonly [K in ModelOption]?: string | boolean }

/**
 * The fields of the options that are set.
 *
 * **Errors**: `Unsupported` for an option that is not in the table, unless it asks for nothing.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeOptions = (
  provider: string,
  options: ModelOptions,
  fields: OptionFields
): Result.Result<Json, AttemptError> => {
  const body: Record<string, unknown> = {}
  for (const name of Object.keys(options) as Array<keyof ModelOptions>) {
    if (name === "extraBody" || name === "headers") continue
    const value = options[name]
    const field = fields[name]
    if (value === undefined || field === true) continue
    if (typeof field === "string") body[field] = value
    else {
      const refused = refuseOptions(provider, options, [name])
      if (refused !== undefined) return Result.fail(refused)
    }
  }
  return Result.succeed(body)
}
