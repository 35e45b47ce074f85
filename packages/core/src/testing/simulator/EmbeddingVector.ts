/**
 * Simulated embeddings: for every text a vector of length one, the same for the same seed, model and text.
 *
 * It means nothing: texts alike have vectors unlike.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import { Draw, Fingerprint } from "./Draw.ts"

const Positive = Schema.Int.check(Schema.isGreaterThan(0))
const orElse = (value: number) => Positive.pipe(Schema.withDecodingDefault(Effect.succeed(value)))

/**
 * The settings of embedding models.
 *
 * **Source**: OpenAI API reference, "Create embeddings" (2048 inputs; 8192 tokens an input; 300,000 a request).
 *
 * @category schemas
 * @since 0.1.0
 */
export const EmbeddingSettings = Schema.Struct({
  /** The length of the vectors; the model's own when absent. */
  dimensions: Schema.optional(Positive),
  maxInputs: orElse(2048),
  maxTokensPerInput: orElse(8192),
  maxTokensPerRequest: orElse(300_000),
  /** A regular expression: a request with a text that it matches is refused whole, with 400 and without naming the text. */
  poison: Schema.optional(
    Schema.String.check(
      Schema.makeFilter((source) =>
        isRegularExpression(source) ? undefined : "is no regular expression"
      )
    )
  )
})

/**
 * The settings of embedding models.
 *
 * @category models
 * @since 0.1.0
 */
export type EmbeddingSettings = typeof EmbeddingSettings.Type

const isRegularExpression = (source: string): boolean =>
  Result.isSuccess(Result.try(() => new RegExp(source)))

/**
 * Whether one of the texts is poisoned.
 *
 * @category guards
 * @since 0.1.0
 */
export const isPoisoned = (settings: EmbeddingSettings, texts: ReadonlyArray<string>): boolean => {
  if (settings.poison === undefined) return false
  const poison = new RegExp(settings.poison)
  return texts.some((text) => poison.test(text))
}

/**
 * The length of a model's vectors unless the request says otherwise.
 *
 * **Source**: OpenAI "Vector embeddings", Gemini "Embeddings" (read November 2026).
 *
 * @category getters
 * @since 0.1.0
 */
export const lengthOf = (model: string, settings: EmbeddingSettings): number => {
  if (settings.dimensions !== undefined) return settings.dimensions
  if (model.includes("embedding-3-large") || model.includes("gemini-embedding")) return 3072
  return model.includes("text-embedding-004") ? 768 : 1536
}

/**
 * The vector of a text.
 *
 * **Details**: a shorter vector is the beginning of the longer one, scaled to length one, as with models that can shorten.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  seed: number,
  model: string,
  text: string,
  dimensions: number
): Float32Array => {
  const draw = new Draw(seed, new Fingerprint().add(model).add(text).value, "vector", 0)
  const vector = new Float32Array(dimensions)
  let squares = 0
  for (let index = 0; index < dimensions; index++) {
    const component = draw.next() * 2 - 1
    vector[index] = component
    squares += component * component
  }
  const scale = 1 / Math.sqrt(squares)
  for (let index = 0; index < dimensions; index++) vector[index]! *= scale
  return vector
}

/**
 * The components as JSON numbers, short and exact enough to give the same `Float32Array` again.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toNumbers = (vector: Float32Array): ReadonlyArray<number> =>
  // Nine significant digits identify any number of 32 bits (IEEE 754).
  Array.from(vector, (component) => Number(component.toPrecision(9)))
