/**
 * The JSON body of a request to OpenAI, checked field by field.
 *
 * What several fields have to do with one another is each endpoint's matter.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import type { SimulatedRequest } from "./Exchange.ts"
import type { Check } from "./FieldCheck.ts"
import * as JsonBody from "./JsonBody.ts"
import { invalid, missing, unreadable, unsupported, word } from "./OpenAiError.ts"
import type { WireError } from "./Vendor.ts"
import type { ModelLimits } from "./WireFormat.ts"

/**
 * Reads a body: JSON, with a model, with the required fields, with no unknown or ill-typed ones, with none that the model
 * refuses.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (
  request: SimulatedRequest,
  check: Check,
  required: ReadonlyArray<string>,
  limits: ModelLimits
): Result.Result<{ readonly [name: string]: unknown }, WireError> => {
  const json = JsonBody.read(request)
  if (json === undefined) return Result.fail(unreadable)
  if (json["model"] === undefined || json["model"] === "") {
    return Result.fail(invalid("you must provide a model parameter", null))
  }
  const absent = required.find((name) => json[name] === undefined)
  if (absent !== undefined) return Result.fail(missing(absent))
  const wrong = check(json, "")
  if (wrong !== undefined) return Result.fail(word(wrong))
  const refused = limits.unsupportedParameters.find((name) => json[name] != null)
  return refused === undefined ? Result.succeed(json) : Result.fail(unsupported(refused))
}
