/**
 * Durations as rate-limit headers write them.
 *
 * @since 0.1.0
 */
const durationPart = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g
const durationText = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
const unitMillis: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000
}

/**
 * Reads `6m0s`, `17ms`, `0s`, `1d2h` and bare seconds, as milliseconds.
 *
 * @category parsing
 * @since 0.1.0
 */
export const durationMillis = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  if (known.has(text)) return known.get(text)
  const millis = read(text)
  if (known.size >= mostKnown) known.clear()
  known.set(text, millis)
  return millis
}

/** Headers say the same few things again and again, in every response. */
const known = new Map<string, number | undefined>()
const mostKnown = 256

const read = (text: string): number | undefined => {
  const compact = text.trim().toLowerCase().replaceAll(" ", "")
  if (compact === "") return undefined
  const seconds = Number(compact)
  if (Number.isFinite(seconds)) return seconds < 0 ? undefined : seconds * 1000
  if (!durationText.test(compact)) return undefined
  let millis = 0
  for (const [, amount, unit] of compact.matchAll(durationPart)) {
    millis += Number(amount) * (unitMillis[unit ?? ""] ?? 0)
  }
  return millis
}
