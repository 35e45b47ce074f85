/**
 * The first thing wrong in a value a Schema refused, as a path and a sentence.
 *
 * Error messages are one line; a Schema's own report may be many.
 *
 * @since 0.1.0
 */
import * as SchemaIssue from "effect/SchemaIssue"

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * The first issue: its path as JavaScript would write it (`[2].role`, empty at the root) and what is wrong, in one line.
 *
 * @category getters
 * @since 0.1.0
 */
export const firstIssue = (
  issue: SchemaIssue.Issue
): { readonly path: string; readonly problem: string } => {
  const first = format(issue).issues[0]
  const path = (first?.path ?? [])
    .map((segment) => (typeof segment === "object" ? segment.key : segment))
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
  return { path, problem: (first?.message ?? "not what was expected").replaceAll(/\s+/g, " ") }
}
