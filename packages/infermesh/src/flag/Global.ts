/**
 * The flags that every command has, besides those of effect/cli: how much is said, and in which form.
 *
 * @since 0.1.0
 */
import * as GlobalFlag from "effect/cli/GlobalFlag"

import { toggle } from "./Toggle.ts"

/**
 * `--quiet`: no progress and no table; errors are still said.
 *
 * @category flags
 * @since 0.1.0
 */
export const quiet = GlobalFlag.Setting("quiet")({
  flag: toggle("quiet", "No progress and no table; errors are still said")
})

/**
 * `--json`: whatever is said is a JSON object a line.
 *
 * @category flags
 * @since 0.1.0
 */
export const json = GlobalFlag.Setting("json")({
  flag: toggle("json", "Say everything on standard error as JSON, an object a line")
})

/**
 * All of them.
 *
 * @category flags
 * @since 0.1.0
 */
export const globals = [quiet, json] as const
