/**
 * A few candidates drawn by their weights out of many, so that not all of a thousand deployments are looked at for one attempt.
 *
 * For strategies that draw anyway: who is drawn and cannot take the call is drawn again, which gives each that can the same
 * chance as if only those had been in the draw. Where that finds none soon, everybody is looked at.
 *
 * @since 0.1.0
 */
import type { Call } from "./Call.ts"
import type { Ready } from "./Ready.ts"
import * as ReadyModule from "./Ready.ts"

/** Below this, a look at all of them costs less than it saves. */
const fewest = 17

/** Draws after which nearly nobody seems to be free. */
const mostDraws = 16

/** The sums of the weights up to each of a group; groups stay the same until the fleet changes. */
const sumsOf = new WeakMap<ReadonlyArray<Ready>, Float64Array>()

const weightsOf = (group: ReadonlyArray<Ready>): Float64Array => {
  const known = sumsOf.get(group)
  if (known !== undefined) return known
  const sums = new Float64Array(group.length)
  let sum = 0
  for (const [index, { deployment }] of group.entries()) sums[index] = sum += deployment.weight
  sumsOf.set(group, sums)
  return sums
}

/** The first whose sum is above a place. */
const find = (sums: Float64Array, place: number): number => {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] ?? 0) > place) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * So many of a group that can take the call now and have not failed it; `undefined` where the group is small, or where they
 * are not found soon.
 *
 * @category getters
 * @since 0.1.0
 */
export const draw = (
  group: ReadonlyArray<Ready>,
  count: number,
  call: Call<unknown>,
  options: {
    readonly nowMillis: number
    readonly random: () => number
    readonly isShunned: (ready: Ready) => boolean
  }
): ReadonlyArray<Ready> | undefined => {
  if (group.length < fewest) return undefined
  const { isShunned, nowMillis, random } = options
  const sums = weightsOf(group)
  const total = sums.at(-1) ?? 0
  const found: Array<Ready> = []
  for (let draws = 0; draws < mostDraws && found.length < count; draws++) {
    const ready = group[find(sums, random() * total)]
    if (ready === undefined || found.includes(ready) || isShunned(ready)) continue
    const { deployment, slots } = ready
    if (call.excluded.includes(deployment) || call.failedAt.includes(deployment)) continue
    if (slots.hasRoom && ReadyModule.roomAt(ready, call.cost, nowMillis) <= nowMillis)
      found.push(ready)
  }
  return found.length === count ? found : undefined
}
