/**
 * Token estimates by really counting, with the tokenizer of OpenAI's models: opt-in, for quotas so tight that the calibrated
 * arithmetic of `TokenEstimate` is too rough.
 *
 * The tokenizer is the optional package `gpt-tokenizer`, loaded when the first request is estimated; it costs about 250 µs per
 * 1,000 characters, so long texts are counted in pieces and the event loop runs between them. The vocabulary is `o200k_base`:
 * for other vendors' models the count is an approximation. Special tokens in a user's text are counted as the text they are.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

import * as Arithmetic from "./TokenEstimate.ts"
import { TokenEstimate } from "./TokenEstimate.ts"

type Count = (text: string) => number

/** Characters counted without a break: about a millisecond's work. */
const pieceCharacters = 4000

const load = Effect.tryPromise(async (): Promise<Count> => {
  const { encode } = await import("gpt-tokenizer/encoding/o200k_base")
  // An empty set forbids nothing: `<|endoftext|>` in a text is then text, and no error.
  const options = { disallowedSpecial: new Set<string>() }
  return (text) => encode(text, options).length
})

/**
 * Builds the exact estimate; without `gpt-tokenizer` it is the arithmetic one, and a warning says so once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.gen(function* () {
  const arithmetic = Arithmetic.make()
  const loaded = yield* Effect.cached(
    Effect.catch(load, () =>
      Effect.as(
        Effect.logWarning(
          "The package gpt-tokenizer is not installed; tokens are estimated instead of counted"
        ),
        undefined
      )
    )
  )
  return TokenEstimate.of({
    learn: arithmetic.learn,
    estimate: Effect.fnUntraced(function* (request) {
      const count = yield* loaded
      if (count === undefined) return yield* arithmetic.estimate(request)
      let prompt = request.messageCount * Arithmetic.tokensPerMessage
      for (const text of request.texts) {
        for (const piece of pieces(text)) {
          prompt += count(piece)
          yield* Effect.yieldNow
        }
      }
      // The answer's length cannot be counted beforehand: for it the learned allowance stands.
      const { output } = yield* arithmetic.estimate({ ...request, texts: [], messageCount: 0 })
      return { input: prompt, output }
    })
  })
})

/** Cuts a text behind white space where it can, because tokens seldom reach across it. */
function* pieces(text: string): Generator<string> {
  let start = 0
  while (text.length - start > pieceCharacters) {
    const space = text.lastIndexOf(" ", start + pieceCharacters)
    const cut = space > start ? space : start + pieceCharacters
    // Never between the two halves of one character.
    const end = (text.charCodeAt(cut) & 0xfc00) === 0xdc00 ? cut - 1 : cut
    yield text.slice(start, end)
    start = end
  }
  if (start < text.length) yield text.slice(start)
}

/**
 * The exact estimate.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<TokenEstimate> = Layer.effect(TokenEstimate, make)
