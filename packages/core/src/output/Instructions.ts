/**
 * The form of an answer told to a model in words, for endpoints that enforce none.
 *
 * It is how an `output` reaches a provider without structured output of its own, and what a provider that only promises some
 * JSON has to say besides: such an endpoint is not told a schema in any other way.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import type * as Schema from "effect/Schema"

import type { GenerateRequest, OutputShape } from "../operation/Generate.ts"

/**
 * A request that tells the form of its answer in words.
 *
 * **Details**: in a system message, within the first one where there is one, because some chat templates take only one; of
 * a Responses input in its `instructions`. A request without an output is given back as it is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inWords = (request: GenerateRequest): GenerateRequest => {
  const { output, prompt, responsesInput } = request
  if (output === undefined) return request
  const words = text(output)
  return {
    ...request,
    prompt: withSystem(prompt, words),
    responsesInput:
      responsesInput === undefined
        ? undefined
        : { ...responsesInput, instructions: joined(responsesInput.instructions, words) }
  }
}

/**
 * What a model is told about the form of its answer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const text = ({ jsonSchema, plainSchema = jsonSchema }: OutputShape): string =>
  `Answer with JSON and nothing else: no words around it, no code fence. It must fit this JSON Schema:\n${JSON.stringify(plainSchema)}`

const joined = (before: string | null | undefined, words: string): string =>
  before === undefined || before === null || before === "" ? words : `${before}\n\n${words}`

const withSystem = ({ content: messages }: Prompt.Prompt, words: string): Prompt.Prompt => {
  const [first, ...others] = messages
  if (first?.role !== "system") {
    return Prompt.fromMessages([Prompt.makeMessage("system", { content: words }), ...messages])
  }
  const { content, options } = first
  const openai = options["openai"] as { readonly [key: string]: Schema.Json } | null | undefined
  const blocks = openai?.["content"]
  return Prompt.fromMessages([
    Prompt.makeMessage("system", {
      content: joined(content, words),
      // Blocks that a Prompt has no place for are sent instead of the text.
      options: Array.isArray(blocks)
        ? { ...options, openai: { ...openai, content: [...blocks, { type: "text", text: words }] } }
        : options
    }),
    ...others
  ])
}
