/**
 * How the models of Gemini are told how hard to think, and whether they sign their tool calls: a table by the model's name.
 *
 * Only older models are listed, because they no longer change; a name that is not here is taken to be newer than this table.
 *
 * **Source**: Gemini API documentation, "Thinking", "Thought signatures" and "OpenAI compatibility" (read November 2026).
 *
 * @since 0.1.0
 */

/**
 * What a model understands.
 *
 * @category models
 * @since 0.1.0
 */
export interface Abilities {
  /** By a level's name, by a budget in tokens, or not at all. */
  readonly thinking: "level" | "budget" | "none"
  /** Whether it refuses a tool call in its history that bears no signature. */
  readonly signedCalls: boolean
}

const known: ReadonlyArray<readonly [name: RegExp, abilities: Abilities]> = [
  [/gemini-(?:1|2\.0)/, { thinking: "none", signedCalls: false }],
  [/gemini-2\.5/, { thinking: "budget", signedCalls: false }],
  [/gemini/, { thinking: "level", signedCalls: true }]
]

/**
 * The abilities of a model; other models behind the same API (Gemma) neither think on demand nor sign.
 *
 * @category getters
 * @since 0.1.0
 */
export const abilities = (model: string): Abilities =>
  known.find(([name]) => name.test(model))?.[1] ?? { thinking: "none", signedCalls: false }

/**
 * The thinking budgets that stand for the efforts, on models that have no levels.
 *
 * **Units**: tokens.
 *
 * **Source**: Gemini API documentation, "OpenAI compatibility", table of `reasoning_effort` (read November 2026).
 *
 * @category constants
 * @since 0.1.0
 */
export const budgets: { readonly [effort: string]: number | undefined } = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576
}
