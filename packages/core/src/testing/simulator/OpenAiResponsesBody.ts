/**
 * The body of a request to the Responses API after its check: the fields the simulator looks at.
 *
 * @since 0.1.0
 */
import type { Tool } from "./ToolCall.ts"

/**
 * The body.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly model: string
  readonly input?: string | ReadonlyArray<Item>
  readonly include?: ReadonlyArray<string> | null
  readonly instructions?: string | null
  readonly max_output_tokens?: number | null
  readonly parallel_tool_calls?: boolean | null
  readonly previous_response_id?: string | null
  readonly reasoning?: { readonly effort?: string | null; readonly summary?: string | null } | null
  readonly stream?: boolean | null
  readonly stream_options?: { readonly include_obfuscation?: boolean } | null
  readonly text?: { readonly format?: Format; readonly verbosity?: string | null } | null
  readonly tool_choice?: string | ChoiceOfTools
  readonly tools?: ReadonlyArray<ToolDefinition>
  readonly truncation?: string | null
  readonly [field: string]: unknown
}

/**
 * An item of the input.
 *
 * @category models
 * @since 0.1.0
 */
export interface Item {
  readonly type?: string
  readonly role?: string
  readonly content?: string | ReadonlyArray<{ readonly type: string; readonly text?: string }>
  readonly call_id?: string
}

/**
 * What the text of the answer has to be.
 *
 * @category models
 * @since 0.1.0
 */
export interface Format {
  readonly type: string
  readonly name?: string
  readonly description?: string | null
  readonly schema?: unknown
  readonly strict?: boolean | null
}

/**
 * A tool as the request defines it; one that OpenAI runs has no name.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolDefinition {
  readonly type: string
  readonly name?: string
  readonly parameters?: unknown
  readonly strict?: boolean | null
}

/**
 * A demand for certain tools.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChoiceOfTools {
  readonly type: string
  readonly name?: string
  readonly mode?: string
  readonly tools?: ReadonlyArray<{ readonly name?: string }>
}

/**
 * The tools that the caller runs, those the simulated model may call.
 *
 * @category getters
 * @since 0.1.0
 */
export const ownTools = (body: Body): ReadonlyArray<Tool> =>
  (body.tools ?? []).flatMap(({ name, parameters, type }) =>
    (type === "function" || type === "custom") && name !== undefined
      ? [{ kind: type, name, parameters: parameters ?? { type: "object", properties: {} } }]
      : []
  )
