/**
 * Which texts go together in one embedding request: contiguous, at most so many, at most so many tokens.
 *
 * Pure arithmetic. A text that alone is above the token limit gets a request of its own: the provider decides about it, and
 * it fails alone.
 *
 * @since 0.1.0
 */

/**
 * The limits of one request.
 *
 * **Units**: texts and tokens.
 *
 * @category models
 * @since 0.1.0
 */
export interface PackLimits {
  readonly texts: number
  readonly tokens: number
}

/**
 * Splits items into packs, keeping their order: every item is in exactly one pack, no pack is empty.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pack = <A>(
  items: ReadonlyArray<A>,
  tokens: (item: A) => number,
  limits: PackLimits
): ReadonlyArray<ReadonlyArray<A>> => {
  const packs: Array<Array<A>> = []
  let current: Array<A> = []
  let used = 0
  for (const item of items) {
    const size = tokens(item)
    if (current.length > 0 && (current.length >= limits.texts || used + size > limits.tokens)) {
      packs.push(current)
      current = []
      used = 0
    }
    current.push(item)
    used += size
  }
  if (current.length > 0) packs.push(current)
  return packs
}

/**
 * Splits a number over items in proportion to their weights, in whole numbers whose sum is the number.
 *
 * @category combinators
 * @since 0.1.0
 */
export const apportion = (total: number, weights: ReadonlyArray<number>): ReadonlyArray<number> => {
  const sum = weights.reduce((left, right) => left + right, 0)
  let seen = 0
  let given = 0
  return weights.map((weight, index) => {
    seen += weight
    // Rounding the running total, not each share, keeps the sum exact.
    const upTo = index === weights.length - 1 ? total : Math.round((total * seen) / (sum || 1))
    const share = upTo - given
    given = upTo
    return share
  })
}

/**
 * The limits that fit all of several providers; `undefined` where none names any.
 *
 * @category combinators
 * @since 0.1.0
 */
export const smallest = (all: Iterable<PackLimits | undefined>): PackLimits | undefined => {
  const known = Array.from(all).filter((limits) => limits !== undefined)
  return known.length === 0
    ? undefined
    : {
        texts: Math.min(...known.map(({ texts }) => texts)),
        tokens: Math.min(...known.map(({ tokens }) => tokens))
      }
}
