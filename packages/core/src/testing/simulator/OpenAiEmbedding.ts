/**
 * The wire format of OpenAI's embeddings.
 *
 * **Source**: OpenAI API reference, "Create embeddings", recorded responses and error bodies of the API (read November
 * 2026). The limits are those of the reference; `'$.input' is invalid` is all the API says about a bad text.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"

import { Fingerprint } from "./Draw.ts"
import * as EmbeddingVector from "./EmbeddingVector.ts"
import { anything, integer, oneOf, string, struct } from "./FieldCheck.ts"
import * as OpenAiBody from "./OpenAiBody.ts"
import { invalid, word } from "./OpenAiError.ts"
import * as OpenAiHttp from "./OpenAiHttp.ts"
import { tokensOf } from "./TokenCount.ts"
import type { WireError } from "./Vendor.ts"
import type { AnswerContext, ModelLimits, WireAnswer, WireFormat } from "./WireFormat.ts"

/**
 * POST /v1/embeddings.
 *
 * @category formats
 * @since 0.1.0
 */
export const format: WireFormat = {
  name: "openai-embedding",
  vendor: OpenAiHttp.vendor,
  metered: true,
  contentFaults: ["noChoices"],
  matches: OpenAiHttp.isPost("/embeddings"),
  decode: (request, limits) =>
    Result.map(
      Result.flatMap(OpenAiBody.read(request, check, ["input"], limits), (json) =>
        decode(json as unknown as Body, limits)
      ),
      (asked) => ({
        model: asked.model,
        hash: asked.inputs.reduce(
          (print, { text }) => print.add(text),
          new Fingerprint().add(asked.model)
        ).value,
        promptTokens: asked.tokens,
        stream: false,
        answer: (context) => answer(asked, context)
      })
    )
}

const check = struct({
  model: string(),
  // Whatever is wrong with the input has one and the same message.
  input: anything,
  dimensions: integer(1),
  encoding_format: oneOf("float", "base64"),
  user: string()
})

interface Body {
  readonly model: string
  readonly input: unknown
  readonly dimensions?: number
  readonly encoding_format?: "float" | "base64"
}

/** A text, or the ids of its tokens as text, with its size. */
interface Input {
  readonly text: string
  readonly tokens: number
}

interface Asked {
  readonly model: string
  readonly inputs: ReadonlyArray<Input>
  readonly tokens: number
  readonly dimensions: number
  readonly base64: boolean
}

const decode = (body: Body, limits: ModelLimits): Result.Result<Asked, WireError> => {
  const { embeddings } = limits
  const longest = EmbeddingVector.lengthOf(body.model, embeddings)
  const dimensions = body.dimensions ?? longest
  if (body.dimensions !== undefined && /ada-002/.test(body.model)) return Result.fail(fixedLength)
  if (dimensions > longest) return Result.fail(tooLong(dimensions, longest))
  const items = listOf(body.input)
  if (items !== undefined && items.length > embeddings.maxInputs) {
    const { maxInputs: maximum } = embeddings
    const length = items.length
    return Result.fail(word({ problem: "length", path: "input", length, minimum: 1, maximum }))
  }
  const inputs = items?.map(inputOf).filter((input) => input !== undefined) ?? []
  const texts = inputs.map(({ text }) => text)
  if (
    inputs.length === 0 ||
    inputs.length !== items?.length ||
    EmbeddingVector.isPoisoned(embeddings, texts)
  ) {
    return Result.fail(badInput)
  }
  const oversized = inputs.find((input) => input.tokens > embeddings.maxTokensPerInput)
  if (oversized !== undefined) {
    return Result.fail(tooManyTokens(oversized.tokens, embeddings.maxTokensPerInput))
  }
  const tokens = inputs.reduce((sum, input) => sum + input.tokens, 0)
  if (tokens > embeddings.maxTokensPerRequest) {
    return Result.fail(tooManyTogether(tokens, embeddings.maxTokensPerRequest))
  }
  const base64 = body.encoding_format === "base64"
  return Result.succeed({ model: body.model, inputs, tokens, dimensions, base64 })
}

const listOf = (input: unknown): ReadonlyArray<unknown> | undefined => {
  if (!Array.isArray(input)) return [input]
  return input.length > 0 && input.every(isToken) ? [input] : input
}

const isToken = (item: unknown): boolean => Number.isInteger(item) && Number(item) >= 0

const inputOf = (item: unknown): Input | undefined => {
  if (typeof item === "string") {
    return item === "" ? undefined : { text: item, tokens: tokensOf(item) }
  }
  return Array.isArray(item) && item.length > 0 && item.every(isToken)
    ? { text: item.join(" "), tokens: item.length }
    : undefined
}

// ---- errors

const badInput = invalid(
  "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.",
  null
)

const fixedLength = invalid("This model does not support specifying dimensions.", null)

const tooLong = (dimensions: number, longest: number): WireError =>
  invalid(
    `Invalid value for 'dimensions' = ${dimensions}. Must be less than or equal to ${longest}.`,
    null
  )

const tooManyTokens = (tokens: number, maximum: number): WireError =>
  invalid(
    `This model's maximum context length is ${maximum} tokens, however you requested ${tokens} tokens (${tokens} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`,
    null
  )

const tooManyTogether = (tokens: number, maximum: number): WireError => ({
  status: 400,
  message: `Requested ${tokens} tokens, max ${maximum} tokens per request`,
  type: "max_tokens_per_request",
  param: null,
  code: "max_tokens_per_request"
})

// ---- answer

const answer = (asked: Asked, context: AnswerContext): WireAnswer => ({
  completionTokens: 0,
  body: () =>
    JSON.stringify({
      object: "list",
      data: (context.fault === "noChoices" ? [] : asked.inputs).map(({ text }, index) => ({
        object: "embedding",
        index,
        embedding: write(
          EmbeddingVector.make(context.seed, asked.model, text, asked.dimensions),
          asked.base64
        )
      })),
      model: asked.model,
      usage: { prompt_tokens: asked.tokens, total_tokens: asked.tokens }
    })
})

/** Base64 is that of the numbers' bytes, the least significant one first. */
const write = (vector: Float32Array, base64: boolean): string | ReadonlyArray<number> => {
  if (!base64) return EmbeddingVector.toNumbers(vector)
  const bytes = new Uint8Array(vector.length * 4)
  const view = new DataView(bytes.buffer)
  for (let index = 0; index < vector.length; index++) {
    view.setFloat32(index * 4, vector[index]!, true)
  }
  return Base64.encode(bytes)
}
