/**
 * The flags that say what becomes of a job that is there already.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"

const toggle = (name: string, description: string) =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

/**
 * Overwriting and resuming.
 *
 * @category flags
 * @since 0.1.0
 */
export const resume = {
  overwrite: toggle("overwrite", "Throw away an output that exists, and its job"),
  resume: toggle("resume", "Go on with the output's job; start it if there is none"),
  retryFailed: toggle("retry-failed", "Resume, and ask failed rows again"),
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
