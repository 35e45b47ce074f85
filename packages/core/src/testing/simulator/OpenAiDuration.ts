/**
 * Durations as OpenAI writes them in headers and messages.
 *
 * @since 0.1.0
 */

/**
 * A duration as OpenAI writes it: `0s`, `17ms`, `1.2s`, `6m0s`, `23h59m8.64s`.
 *
 * **Units**: whole milliseconds in.
 *
 * **Source**: the form of Go's `Duration.String`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const duration = (millis: number): string => {
  if (millis > 0 && millis < 1000) return `${millis}ms`
  const seconds = Number(((millis % 60_000) / 1000).toFixed(3))
  const minutes = Math.floor(millis / 60_000) % 60
  const hours = Math.floor(millis / 3_600_000)
  if (hours > 0) return `${hours}h${minutes}m${seconds}s`
  return minutes > 0 ? `${minutes}m${seconds}s` : `${seconds}s`
}
