/**
 * What is wrong with the vectors of an answer, as a reason that says whether one text can be to blame.
 *
 * A vector too few, a NaN: with such an answer every text could get the meaning of another or none at all, so it is a failed
 * attempt. Batches try the texts of such a request apart, because models fail so for single texts.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"

import type { Reason } from "../Reason.ts"

/**
 * The reason for an answer that cannot be used as it is, where one of the texts may be to blame.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unusable = (description: string): AiError.InvalidResponseError =>
  new AiError.InvalidResponseError({ description, metadata: { infermesh: { oneText: true } } })

/**
 * Whether a reason was made by `unusable`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isUnusable = (reason: Reason): boolean => {
  const ours = reason._tag === "InvalidResponseError" ? reason.metadata["infermesh"] : undefined
  return typeof ours === "object" && ours !== null && "oneText" in ours
}

/**
 * What is wrong with the vectors of so many texts; `undefined` when nothing is: as many as texts, none empty, all of one
 * length, each number finite.
 *
 * @category guards
 * @since 0.1.0
 */
export const vectorFault = (
  vectors: ReadonlyArray<Float32Array>,
  texts: number
): AiError.InvalidResponseError | undefined => {
  if (vectors.length !== texts) {
    return unusable(`it has ${vectors.length} vectors for ${texts} texts`)
  }
  const { length } = vectors[0] ?? []
  for (const [index, vector] of vectors.entries()) {
    const which = `the vector of text ${index + 1} of ${texts}`
    if (vector.length === 0) return unusable(`${which} is empty`)
    if (vector.length !== length) {
      // Apart, each text would pass, and nobody would see that their vectors cannot be compared.
      return new AiError.InvalidResponseError({
        description: `${which} has ${vector.length} numbers and that of text 1 has ${length}`
      })
    }
    if (!isFinite(vector)) return unusable(`${which} has a number that is not finite`)
  }
  return undefined
}

/** A sum of 32-bit numbers cannot leave the range of 64 bits, so it is finite exactly when all of them are. */
const isFinite = (vector: Float32Array): boolean => {
  let sum = 0
  for (let index = 0; index < vector.length; index++) sum += vector[index] as number
  return Number.isFinite(sum)
}
