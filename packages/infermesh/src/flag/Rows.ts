/**
 * The flags that say which rows are asked, what is made of them and where the results go.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"

import { toggle } from "./Toggle.ts"

/**
 * Input and output files, and the file of rows in the words of the operation.
 *
 * @category flags
 * @since 0.1.0
 */
export const rows = (form: string) => ({
  inputJsonl: Flag.String("input-jsonl").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(`File of rows ${form}; standard input when absent`),
    Flag.optional
  ),
  outputJsonl: Flag.String("output-jsonl").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription("File for the results; standard output when absent"),
    Flag.optional
  ),
  ordered: toggle(
    "ordered",
    "Write results in the order of the input instead of that of completion"
  ),
  limit: Flag.Int("limit").pipe(
    Flag.withMetavar("N"),
    Flag.withDescription("Ask so many rows at most; --resume goes on with the others"),
    Flag.optional
  ),
  shuffle: Flag.Int("shuffle").pipe(
    Flag.withMetavar("SEED"),
    Flag.withDescription(
      "Take the rows in a random order, the same for the same seed; the input is held in memory"
    ),
    Flag.optional
  ),
  mapper: Flag.String("mapper").pipe(
    Flag.withMetavar("MODULE#FUNCTION"),
    Flag.withDescription(
      "Function that makes { input, metadata?, options? } of a row: prompts.ts#build, prompts.js"
    ),
    Flag.optional
  ),
  dryRun: toggle(
    "dry-run",
    "Tell what would be asked, with the requests of the first rows; nothing is sent or written"
  )
})
