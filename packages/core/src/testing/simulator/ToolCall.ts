/**
 * Calls of tools: whether the simulated model makes them, and with which arguments.
 *
 * How a call is written is each format's matter.
 *
 * @since 0.1.0
 */
import * as JsonSample from "./JsonSample.ts"
import * as Prose from "./Prose.ts"
import { cut, tokensOf } from "./TokenCount.ts"
import type { AnswerContext } from "./WireFormat.ts"

/**
 * A tool the model may call.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tool {
  readonly kind: "function" | "custom"
  readonly name: string
  /** JSON Schema of the arguments of a function. */
  readonly parameters: unknown
}

/**
 * What a request says about the use of tools.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolUse {
  readonly tools: ReadonlyArray<Tool>
  readonly mode: "none" | "auto" | "required"
  /** The one tool that has to be called. */
  readonly named: string | undefined
  /** The names of the tools that may be called; all when absent. */
  readonly allowed: ReadonlyArray<string> | undefined
  /** The last message, if it is the user's. */
  readonly lastWords: string | undefined
  readonly parallel: boolean
}

/**
 * The tools to call: where the request demands it, or where the user's last message says "call the tool".
 *
 * **Details**: of several tools the one named in the message is called, else the first; "call the tools" calls all of them
 * unless calls in parallel are excluded.
 *
 * @category combinators
 * @since 0.1.0
 */
export const choose = (use: ToolUse): ReadonlyArray<Tool> => {
  if (use.mode === "none") return []
  if (use.named !== undefined) return use.tools.filter(({ name }) => name === use.named)
  const usable = use.tools.filter(({ name }) => use.allowed?.includes(name) ?? true)
  const words = use.lastWords ?? ""
  if (!/call the tool/i.test(words) && use.mode !== "required") return []
  if (/call the tools/i.test(words) && use.parallel) return usable
  const one = usable.find(({ name }) => words.includes(name)) ?? usable[0]
  return one === undefined ? [] : [one]
}

/**
 * A call of a tool.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolCall {
  readonly kind: "function" | "custom"
  readonly name: string
  /** Arguments as JSON text, or the input of a custom tool. */
  readonly input: string
  /** Letters and digits for its id. */
  readonly letters: string
}

/**
 * Calls that were made.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolCalls {
  readonly calls: ReadonlyArray<ToolCall>
  readonly tokens: number
  /** Whether the tokens sufficed; the last input breaks off otherwise. */
  readonly complete: boolean
}

/** Tokens around each call, for its name and its borders. */
const tokensPerCall = 4

/**
 * Draws the calls of the choice with this index.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  tools: ReadonlyArray<Tool>,
  context: AnswerContext,
  index: number,
  maxTokens: number
): ToolCalls => {
  const calls: Array<ToolCall> = []
  let tokens = 0
  for (const [position, tool] of tools.entries()) {
    const ordinal = index * 128 + position
    const whole = inputOf(tool, context, ordinal)
    const room = Math.max(0, maxTokens - tokens - tokensPerCall - tokensOf(tool.name))
    const input = cut(whole, room)
    tokens += tokensPerCall + tokensOf(tool.name) + tokensOf(input)
    const letters = context.draw("call", ordinal).letters(24)
    calls.push({ kind: tool.kind, name: tool.name, input, letters })
    if (input !== whole) return { calls, tokens, complete: false }
  }
  return { calls, tokens, complete: true }
}

const inputOf = (tool: Tool, context: AnswerContext, ordinal: number): string => {
  const draw = context.draw("input", ordinal)
  if (tool.kind === "custom") return Prose.sentences(draw, 8)
  if (context.fault === "schemaMismatch") return `{"unexpected": "${Prose.words(draw, 2)}`
  return JSON.stringify(JsonSample.sample(tool.parameters, draw))
}
