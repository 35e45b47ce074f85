/**
 * What the models of Anthropic can be asked for: a table by the model's name, data and no code.
 *
 * Only older models are listed, because they no longer change; a name that is not here is taken to be newer than this table.
 *
 * **Source**: Claude documentation, "Structured outputs", "Effort" and "Adaptive thinking" (read November 2026).
 *
 * @since 0.1.0
 */

/**
 * What a model can be asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Abilities {
  /** `output_config.format`, and tools whose schema is enforced. */
  readonly structuredOutput: boolean
  /** `output_config.effort`. */
  readonly effort: boolean
  /** `thinking: { type: "adaptive" }`; models without it think only when given a budget. */
  readonly adaptiveThinking: boolean
}

const none: Abilities = { structuredOutput: false, effort: false, adaptiveThinking: false }

const known: ReadonlyArray<readonly [name: RegExp, abilities: Abilities]> = [
  [/claude-(?:instant|2|3)/, none],
  [/claude-(?:opus|sonnet)-4(?:@|$|-(?:[01](?!\d)|2025))/, none],
  [/claude-(?:haiku|sonnet)-4-5/, { ...none, structuredOutput: true }],
  [/claude-opus-4-5/, { structuredOutput: true, effort: true, adaptiveThinking: false }],
  [/claude/, { structuredOutput: true, effort: true, adaptiveThinking: true }]
]

/**
 * The abilities of a model; other vendors' models behind the same API are asked for nothing that they might pass over.
 *
 * @category getters
 * @since 0.1.0
 */
export const abilities = (model: string): Abilities =>
  known.find(([name]) => name.test(model))?.[1] ?? none
