/**
 * What is wrong in a value a Schema refused, as paths and sentences.
 *
 * Error messages are one line; a Schema's own report may be many.
 *
 * @since 0.1.0
 */
import * as SchemaIssue from "effect/SchemaIssue"

/**
 * One thing that is wrong.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  /** Where, as JavaScript would write it (`[2].role`); empty at the root. */
  readonly path: string
  /** How far inside the value that is, in steps. */
  readonly depth: number
  readonly problem: string
}

/** The rewriting of schemas for providers takes the words from these two checks, and the message would be `Expected <filter>`. */
const numberChecks = new Map([
  ["effect/schema/isInt", "Expected an integer"],
  ["effect/schema/isFinite", "Expected a finite number"]
])

const format = SchemaIssue.makeFormatterStandardSchemaV1({
  checkHook: (issue) =>
    SchemaIssue.defaultCheckHook(issue) ??
    numberChecks.get(issue.filter.annotations?.representation?.id ?? "")
})

/**
 * All that is wrong, each in one line.
 *
 * @category getters
 * @since 0.1.0
 */
export const faults = (issue: SchemaIssue.Issue): readonly [Fault, ...ReadonlyArray<Fault>] => {
  const [first = unknown, ...others] = format(issue).issues.map(({ message, path = [] }) => ({
    path: path
      .map((segment) => (typeof segment === "object" ? segment.key : segment))
      .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
      .join(""),
    depth: path.length,
    problem: message.replaceAll(/\s+/g, " ")
  }))
  return [first, ...others]
}

const unknown: Fault = { path: "", depth: 0, problem: "not what was expected" }

/**
 * The first thing that is wrong.
 *
 * @category getters
 * @since 0.1.0
 */
export const firstIssue = (issue: SchemaIssue.Issue): Fault => faults(issue)[0]
