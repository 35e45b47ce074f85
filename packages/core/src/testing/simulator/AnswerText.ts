/**
 * What the simulated model says, before anything cuts it short: prose, or JSON where JSON was asked for.
 *
 * @since 0.1.0
 */
import * as JsonSample from "./JsonSample.ts"
import * as Prose from "./Prose.ts"
import type { AnswerContext } from "./WireFormat.ts"

/**
 * What a text has to be: JSON of a schema, any JSON object, or prose.
 *
 * @category models
 * @since 0.1.0
 */
export type OutputKind = { readonly schema: unknown } | "object" | "text"

/**
 * Draws the text of the choice with this index.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (output: OutputKind, context: AnswerContext, index: number): string => {
  const draw = context.draw("text", index)
  const { max, min } = context.outputTokens
  if (output === "text" || context.fault === "schemaMismatch") {
    return Prose.sentences(draw, draw.between(min, max))
  }
  return JSON.stringify(JsonSample.sample(output === "object" ? anyObject : output.schema, draw))
}

/** An answer where the request names no schema. */
const anyObject = {
  type: "object",
  properties: {
    answer: { type: "string" },
    confidence: { type: "number", minimum: 0, maximum: 1 },
    tags: { type: "array", items: { type: "string" }, maxItems: 3 }
  },
  required: ["answer", "confidence", "tags"]
}
