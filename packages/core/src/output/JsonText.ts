/**
 * The text of an answer that shall be JSON: read to a value, or worded as a failure.
 *
 * It knows no schema. A code fence around the JSON is tolerated, because models put it there; nothing is repaired.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Result from "effect/Result"

/**
 * The value in the text of an answer.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string): Result.Result<unknown, AiError.StructuredOutputError> => {
  const bare = unfence(text)
  if (bare === "") return Result.fail(misfit([{ path: "", problem: "it is empty" }], text))
  try {
    return Result.succeed(JSON.parse(bare))
  } catch (cause) {
    const why = cause instanceof Error ? ` (${cause.message})` : ""
    return Result.fail(misfit([{ path: "", problem: `it is no JSON${why}` }], text))
  }
}

const fence = /^```[a-zA-Z]*\s*\n([\s\S]*?)\n?```$/

/**
 * The text inside one outer Markdown code fence, without a byte-order mark and surrounding white space.
 *
 * @category getters
 * @since 0.1.0
 */
export const unfence = (text: string): string => {
  const bare = text.replace(/^\uFEFF/, "").trim()
  return fence.exec(bare)?.[1] ?? bare
}

/** A model that is told three things at once mends them at once; a longer list hides which matter. */
const worded = 3

/**
 * The failure of an answer that does not fit, in one line that names the first things that are wrong.
 *
 * @category constructors
 * @since 0.1.0
 */
export const misfit = (
  faults: ReadonlyArray<{ readonly path: string; readonly problem: string }>,
  text: string
): AiError.StructuredOutputError => {
  const words = faults
    .slice(0, worded)
    .map(({ path, problem }) =>
      path === "" ? `the answer: ${problem}` : `at ${path.replace(/^\./, "")}: ${problem}`
    )
  const more = faults.length - words.length
  return new AiError.StructuredOutputError({
    description: `${words.join("; ")}${more > 0 ? `; and ${more} more` : ""}`.replaceAll(
      /\s+/g,
      " "
    ),
    responseText: text
  })
}
