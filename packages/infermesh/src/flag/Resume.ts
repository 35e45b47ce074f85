/**
 * The flags that say what becomes of a job that is there already.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"

import { toggle } from "./Toggle.ts"

/**
 * What `--retry-failed` without reasons stands for.
 *
 * @category constants
 * @since 0.1.0
 */
export const everyReason = "all"

/**
 * Overwriting and resuming.
 *
 * @category flags
 * @since 0.1.0
 */
export const resume = {
  overwrite: toggle("overwrite", "Throw away an output that exists, and its job"),
  resume: toggle(
    "resume",
    "Go on with the output's job, start it if there is none; failed rows stay as they are"
  ),
  retryFailed: Flag.String("retry-failed").pipe(
    Flag.withOptionalValue(everyReason),
    Flag.withMetavar("REASON,…"),
    Flag.withDescription(
      "Resume, and ask failed rows again: all, or those with a reason, as in --retry-failed=RateLimitError,TimedOut"
    ),
    Flag.optional
  ),
  extend: toggle("extend", "Resume, with rows that the input did not have before"),
  force: toggle("force", "Resume although settings, input or output are not what they were"),
  checkpointDir: Flag.String("checkpoint-dir").pipe(
    Flag.withMetavar("FOLDER"),
    Flag.withDescription(
      "Folder for the job's ledger; default $INFERMESH_CHECKPOINT_DIR, else beside the output"
    ),
    Flag.optional
  )
}
