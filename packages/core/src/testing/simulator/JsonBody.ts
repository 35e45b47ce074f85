/**
 * The body of a request as a JSON object.
 *
 * @since 0.1.0
 */
import type { SimulatedRequest } from "./Exchange.ts"
import { isObject } from "./FieldCheck.ts"

/**
 * Parses the body; `undefined` where it is not JSON, or not an object.
 *
 * @category parsing
 * @since 0.1.0
 */
export const read = ({
  body
}: SimulatedRequest): { readonly [name: string]: unknown } | undefined => {
  const text = typeof body === "string" ? body : new TextDecoder().decode(body)
  try {
    const json: unknown = JSON.parse(text)
    return isObject(json) ? json : undefined
  } catch {
    return undefined
  }
}
