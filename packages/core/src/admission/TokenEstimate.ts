/**
 * How many tokens a request will take, before it is sent: what a token quota reserves.
 *
 * The default is arithmetic on the length of the text, calibrated per model from the usage that responses report. It is an
 * estimate on purpose: exact counting costs more than the whole HTTP request and blocks the event loop (250 µs per 1,000
 * characters, see the module `ExactTokenEstimate`, which is opt-in). It is not called at all where no token quota is set, and
 * what it gets wrong is settled after the response.
 *
 * **Units**: tokens, UTF-8 bytes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

import type { TokenUsage } from "../operation/Usage.ts"

/**
 * What an estimate is made from.
 *
 * @category models
 * @since 0.1.0
 */
export interface TokenEstimateRequest {
  readonly model: string
  /** All texts of the request, tool definitions included. */
  readonly texts: Iterable<string>
  readonly messageCount: number
  /** The most output tokens per choice, where the request sets it. */
  readonly maxOutputTokens: number | undefined
  /** How many answers are asked for. */
  readonly choices: number
}

/**
 * What a request will take.
 *
 * @category models
 * @since 0.1.0
 */
export interface EstimatedTokens {
  readonly input: number
  readonly output: number
}

/**
 * Estimates tokens.
 *
 * @category services
 * @since 0.1.0
 */
export class TokenEstimate extends Context.Service<
  TokenEstimate,
  {
    /** The tokens of the prompt, and an allowance for the answer. */
    readonly estimate: (request: TokenEstimateRequest) => Effect.Effect<EstimatedTokens>
    /** Learns from what a response reported. */
    readonly learn: (request: TokenEstimateRequest, usage: TokenUsage) => void
  }
>()("@infermesh/core/admission/TokenEstimate") {}

/** Bytes of English text per token, as OpenAI's help page on tokens says; where learning starts. */
const bytesPerToken = 4
/**
 * Tokens of role and separators around each message, as in OpenAI's cookbook on counting tokens.
 *
 * @category constants
 * @since 0.1.0
 */
export const tokensPerMessage = 4
/** Output tokens reserved for a model that has not answered yet and whose request sets no maximum. */
const firstOutputAllowance = 256
/** How much of what was learned before stays with each further observation: about thirty of them decide. */
const decay = 0.97
/** Deviations above the mean that the output allowance covers: about 19 of 20 answers where lengths are spread normally. */
const coveredDeviations = 2
/** No tokenizer makes more than two tokens of a byte; images and hidden prompts can look as if one did. */
const mostTokensPerByte = 2
/** The first guess counts as much as a report over this many bytes, so that one odd first report does not decide alone. */
const priorBytes = 400

interface Calibration {
  /** Prompt tokens and bytes seen, older ones fading; their ratio weighs long prompts as they weigh in the quota. */
  promptTokens: number
  bytes: number
  outputMean: number
  outputDeviation: number
}

/**
 * Builds the arithmetic estimate.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): TokenEstimate["Service"] => {
  const calibrations = new Map<string, Calibration>()
  // A request is estimated and later learned from; its texts are gone through once.
  const sizes = new WeakMap<Iterable<string>, number>()
  const sizeOf = ({ texts }: TokenEstimateRequest): number => {
    let size = sizes.get(texts)
    if (size === undefined) sizes.set(texts, (size = bytesOf(texts)))
    return size
  }
  return {
    estimate: (request) =>
      Effect.sync(() => {
        const known = calibrations.get(request.model)
        const prompt = Math.ceil(sizeOf(request) * tokensPerByte(known))
        return {
          input: prompt + request.messageCount * tokensPerMessage,
          output: outputAllowance(request, known)
        }
      }),
    learn: (request, usage) => {
      const { completionTokens, promptTokens } = usage
      // A report of nothing, or of no number, says nothing about the next request.
      if (
        !(promptTokens > 0 && completionTokens >= 0) ||
        promptTokens + completionTokens === Infinity
      )
        return
      const output = completionTokens / Math.max(1, request.choices)
      let known = calibrations.get(request.model)
      if (known === undefined) {
        known = {
          promptTokens: priorBytes / bytesPerToken,
          bytes: priorBytes,
          outputMean: output,
          outputDeviation: output / 2
        }
        calibrations.set(request.model, known)
      }
      const prompt = Math.max(0, promptTokens - request.messageCount * tokensPerMessage)
      known.promptTokens = known.promptTokens * decay + prompt
      known.bytes = known.bytes * decay + sizeOf(request)
      const weight = 1 - decay
      known.outputDeviation +=
        weight * (Math.abs(output - known.outputMean) - known.outputDeviation)
      known.outputMean += weight * (output - known.outputMean)
    }
  }
}

const tokensPerByte = (known: Calibration | undefined): number =>
  known === undefined
    ? 1 / bytesPerToken
    : Math.min(mostTokensPerByte, known.promptTokens / known.bytes)

const outputAllowance = (request: TokenEstimateRequest, known: Calibration | undefined): number => {
  // A maximum is a promise the provider keeps, so it is reserved whole: only then can the quota never be passed.
  const each =
    request.maxOutputTokens ??
    (known === undefined
      ? firstOutputAllowance
      : Math.ceil(known.outputMean + coveredDeviations * known.outputDeviation))
  return each * request.choices
}

const bytesOf = (texts: Iterable<string>): number => {
  let bytes = 0
  for (const text of texts) bytes += byteLength(text)
  return bytes
}

/**
 * The UTF-8 length of a text, without encoding it; lone surrogates count as the replacement character they become.
 *
 * @category getters
 * @since 0.1.0
 */
export const byteLength = (text: string): number => {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x80) continue
    if (code < 0x800) bytes += 1
    else if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      // Two units, four bytes.
      bytes += 2
      index++
    } else bytes += 2
  }
  return bytes
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code < 0xe000

/**
 * The arithmetic estimate.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<TokenEstimate> = Layer.sync(TokenEstimate, make)
