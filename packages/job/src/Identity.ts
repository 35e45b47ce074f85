/**
 * What makes two runs the same job: model, endpoint, options, schema, mapper; each setting as JSON under its name.
 *
 * Settings that change how long a row takes but not what it is answered with (limits, retries, time-outs) do not belong to it.
 *
 * @since 0.1.0
 */
import * as Fingerprint from "./Fingerprint.ts"
import type { Difference } from "./JobError.ts"

/**
 * The settings of a job by name, each as JSON.
 *
 * @category models
 * @since 0.1.0
 */
export type Identity = { readonly [setting: string]: string }

/**
 * The identity of settings; those that are `undefined` are not part of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (settings: { readonly [setting: string]: unknown }): Identity =>
  Object.fromEntries(
    Object.entries(settings)
      .filter(([, value]) => value !== undefined)
      .map(([setting, value]) => [setting, Fingerprint.canonical(value)])
  )

/** Options that do not change what is answered. */
const indifferent = new Set(["timeout", "deadline", "rawResponse"])

/**
 * The options of an operation as settings of an identity, named `options.temperature` and the like. Of headers only the names
 * are kept: their values may be secrets.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromOptions = (options: object): { readonly [setting: string]: unknown } =>
  Object.fromEntries(
    Object.entries(options)
      .filter(([option]) => !indifferent.has(option))
      .map(([option, value]) => [
        `options.${option}`,
        option === "headers" && typeof value === "object" && value !== null
          ? Object.keys(value).toSorted()
          : value
      ])
  )

/**
 * In which settings two identities differ, by name.
 *
 * @category getters
 * @since 0.1.0
 */
export const differences = (was: Identity, now: Identity): ReadonlyArray<typeof Difference.Type> =>
  [...new Set([...Object.keys(was), ...Object.keys(now)])]
    .filter((setting) => was[setting] !== now[setting])
    .toSorted()
    .map((setting) => ({ setting, was: was[setting], now: now[setting] }))
