/**
 * The tools a model may call, the calls it makes, and their form in result files.
 *
 * It does not run the tool: that is the caller's, or `effect/ai`'s `Toolkit` through the bridge.
 *
 * @since 0.1.0
 */
import type * as JsonSchema from "effect/JsonSchema"
import * as Schema from "effect/Schema"

import { nullable } from "./Nullable.ts"

/**
 * One call of a tool, as the model asked for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolCall {
  /** The id that the tool's answer must carry. */
  readonly id: string
  readonly name: string
  /** The arguments as the model wrote them: JSON text, unchecked; absent when it gave none. */
  readonly arguments?: string | undefined
}

/**
 * `ToolCall` in memory.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ToolCall = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  arguments: Schema.optional(Schema.String)
})

/**
 * `ToolCall` as result files hold it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ToolCallRow = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  arguments: nullable(Schema.String)
})

/**
 * A tool a model may call, as providers receive it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolDefinition {
  readonly name: string
  readonly description?: string | undefined
  /** The JSON Schema of the arguments: an object. */
  readonly parameters: JsonSchema.JsonSchema
  /** Whether the provider shall enforce the schema, where it can. */
  readonly strict?: boolean | undefined
}

/**
 * Whether a model must call a tool: as it likes, never, some tool, or the one named.
 *
 * @category models
 * @since 0.1.0
 */
export type ToolChoice = "auto" | "none" | "required" | { readonly tool: string }
