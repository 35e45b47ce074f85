/**
 * What the flags of jobs come to when they are parsed.
 *
 * @since 0.1.0
 */
import type * as Command from "effect/cli/Command"

import { connection } from "../flag/Connection.ts"
import { limits } from "../flag/Limits.ts"
import { resume } from "../flag/Resume.ts"
import { rows } from "../flag/Rows.ts"

/**
 * The flags that all jobs have; `form` says what a row is.
 *
 * @category flags
 * @since 0.1.0
 */
export const jobFlags = (form: string) => ({
  ...connection,
  ...rows(form),
  ...resume,
  ...limits
})

/**
 * The flags that all jobs have, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type JobFlags = Command.Command.Config.Infer<ReturnType<typeof jobFlags>>
