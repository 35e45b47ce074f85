/**
 * The name that a form of answers has at providers.
 *
 * @since 0.1.0
 */

/** What OpenAI accepts as the name of a format. */
const allowed = /^[a-zA-Z0-9_-]{1,64}$/

/**
 * The first candidate that providers accept, else `output`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (...candidates: ReadonlyArray<unknown>): string =>
  candidates.find(
    (candidate): candidate is string => typeof candidate === "string" && allowed.test(candidate)
  ) ?? "output"
