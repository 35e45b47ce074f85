/**
 * A flag that is given or not, and has no `--no-…`.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"

/**
 * A flag that is `false` unless it is given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toggle = (name: string, description: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(
    Flag.withoutNegation,
    Flag.withDescription(description),
    Flag.withDefault(false)
  )
