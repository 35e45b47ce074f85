/**
 * All modules of jobs, by name.
 *
 * @since 0.1.0
 */
export * as Job from "./Job.ts"
export * as Jsonl from "./Jsonl.ts"
export * as Progress from "./Progress.ts"
export * as Row from "./Row.ts"
export * as Tally from "./Tally.ts"
