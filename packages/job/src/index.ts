/**
 * All modules of jobs, by name.
 *
 * @since 0.1.0
 */
export * as EmbedRow from "./operation/EmbedRow.ts"
export * as GenerateRow from "./operation/GenerateRow.ts"
export * as Input from "./Input.ts"
export * as Job from "./Job.ts"
export * as JobError from "./JobError.ts"
export * as Jsonl from "./Jsonl.ts"
export * as Ledger from "./Ledger.ts"
export * as LedgerMemory from "./LedgerMemory.ts"
export * as LedgerSqlite from "./LedgerSqlite.ts"
export * as Mapper from "./Mapper.ts"
export * as Output from "./Output.ts"
export * as Progress from "./Progress.ts"
export * as Tally from "./Tally.ts"
export * as TranscribeRow from "./operation/TranscribeRow.ts"
