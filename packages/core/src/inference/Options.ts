/**
 * The check of a call's options: none that nobody knows, and each of its kind.
 *
 * It knows no operation; each tells it which fields it has.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import { firstIssue } from "../operation/Issue.ts"
import { RouteOptions } from "../operation/RouteOptions.ts"
import { InvalidInput } from "../Reason.ts"

/**
 * Options that set nothing: the default of every operation.
 *
 * @category constants
 * @since 0.1.0
 */
export const none: object = Object.freeze({})

/**
 * Builds the check of an operation's options: `model` are those that go to the provider, `ours` the library's own beside those
 * about where the request goes.
 *
 * **Details**: batches pass one frozen object for all their inputs, and that is checked once. Others may change between two
 * calls.
 *
 * @category constructors
 * @since 0.1.0
 */
export const checker = <Fields extends Schema.Struct.Fields>(
  model: Schema.Struct<Fields> & { readonly DecodingServices: never },
  ours: ReadonlyArray<string>
): ((options: object) => InvalidInput | undefined) => {
  const fields = { ...model.fields, ...RouteOptions.fields }
  const known = new Set([...Object.keys(fields), ...ours])
  const decode = Schema.decodeUnknownResult(
    Schema.Struct(fields) as unknown as Schema.Codec<unknown, unknown>
  )
  const good = new WeakSet<object>([none])
  const check = (options: object): InvalidInput | undefined => {
    if (typeof options !== "object" || options === null)
      return new InvalidInput({ input: "options", problem: "they are no object" })
    const unknown = Object.keys(options).find((key) => !known.has(key))
    if (unknown !== undefined) return unknownOption(unknown, known)
    const result = decode(options)
    if (Result.isSuccess(result)) return undefined
    const issue = firstIssue(result.failure.issue)
    return new InvalidInput({
      input: issue.path.replace(/^\./, "") || "options",
      problem: issue.problem
    })
  }
  return (options) => {
    if (good.has(options)) return undefined
    const problem = check(options)
    if (problem === undefined && Object.isFrozen(options)) good.add(options)
    return problem
  }
}

const unknownOption = (input: string, known: ReadonlySet<string>): InvalidInput =>
  new InvalidInput({ input, problem: "there is no such option", hint: hint(input, known) })

const ofClient = "belongs to the client; make one for each"

/** What callers who know another library look for, and where it is here. */
const elsewhere = new Map([
  ["stream", "Use generateStream"],
  ["apiBase", `The base URL ${ofClient} server`],
  ["apiKey", `The key ${ofClient} key`],
  ["messages", "The messages are the first argument"],
  ["prompt", "The prompt is the first argument"],
  ["input", "The input is the first argument"],
  ["responseFormat", "Give 'output', a Schema or a JSON Schema"],
  ["maxCompletionTokens", "It is called 'maxTokens'"],
  ["maxOutputTokens", "It is called 'maxTokens'"]
])

const hint = (input: string, known: ReadonlySet<string>): string => {
  const name = input.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return (
    elsewhere.get(name) ??
    (name !== input && known.has(name)
      ? `It is called '${name}'`
      : "Fields of the provider's own go into extraBody")
  )
}
