/**
 * The wire format of Gemini's embeddings: `embedContent` and `batchEmbedContents`.
 *
 * **Details**: only vectors of the model's own length have length one; shorter ones are the beginnings of those, as they
 * are. The responses tell no usage.
 *
 * **Source**: Gemini API reference, "Embeddings" (read November 2026), and error bodies of the API.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import { Fingerprint } from "./Draw.ts"
import * as EmbeddingVector from "./EmbeddingVector.ts"
import type { SimulatedRequest } from "./Exchange.ts"
import { array, integer, oneOf, string, struct } from "./FieldCheck.ts"
import { broken, invalid, unreadable, word } from "./GeminiError.ts"
import { type Content, content } from "./GeminiFields.ts"
import * as GeminiHttp from "./GeminiHttp.ts"
import * as GeminiNames from "./GeminiNames.ts"
import * as JsonBody from "./JsonBody.ts"
import { tokensOf } from "./TokenCount.ts"
import type { WireError } from "./Vendor.ts"
import type { AnswerContext, ModelLimits, WireAnswer, WireFormat } from "./WireFormat.ts"

/**
 * POST /v1beta/models/MODEL:embedContent and :batchEmbedContents.
 *
 * @category formats
 * @since 0.1.0
 */
export const format: WireFormat = {
  name: "gemini-embedding",
  vendor: GeminiHttp.vendor,
  metered: true,
  contentFaults: ["noChoices"],
  matches: GeminiHttp.isMethod("embedContent", "batchEmbedContents"),
  decode: (request, limits) =>
    Result.map(decode(request, limits), (asked) => ({
      model: asked.model,
      hash: asked.inputs.reduce(
        (print, { text }) => print.add(text),
        new Fingerprint().add(asked.model)
      ).value,
      promptTokens: asked.inputs.reduce((sum, { text }) => sum + tokensOf(text), 0),
      stream: false,
      answer: (context) => answer(asked, context)
    }))
}

interface Input {
  readonly text: string
  readonly dimensions: number
}

interface Asked {
  readonly model: string
  readonly inputs: ReadonlyArray<Input>
  readonly longest: number
  readonly batch: boolean
}

const fields = {
  model: string(),
  content,
  taskType: oneOf(
    "TASK_TYPE_UNSPECIFIED",
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY"
  ),
  title: string(),
  outputDimensionality: integer(1)
}
const single = struct(fields, ["content"])
const batch = struct({ requests: array(struct(fields, ["content"]), 1) }, ["requests"])

interface Single {
  readonly model?: string
  readonly content: Content
  readonly outputDimensionality?: number
}

/** Source: the error body of the API, "at most 100 requests can be in one batch". */
const maximumRequests = 100

const decode = (source: SimulatedRequest, limits: ModelLimits): Result.Result<Asked, WireError> => {
  const read = JsonBody.read(source)
  if (read === undefined) return Result.fail(unreadable)
  const json = GeminiNames.normalise(read)
  const { method, model } = GeminiHttp.target(source)
  const isBatch = method === "batchEmbedContents"
  const message = isBatch ? "BatchEmbedContentsRequest" : "EmbedContentRequest"
  const wrong = (isBatch ? batch : single)(json, "")
  if (wrong !== undefined) return Result.fail(word(wrong, message))
  const requests = isBatch
    ? (json as { readonly requests: ReadonlyArray<Single> }).requests
    : [json as Single]
  const most = Math.min(maximumRequests, limits.embeddings.maxInputs)
  if (requests.length > most) {
    return Result.fail(broken(message, "requests", `at most ${most} requests can be in one batch`))
  }
  const longest = EmbeddingVector.lengthOf(model, limits.embeddings)
  const inputs: Array<Input> = []
  for (const [index, request] of requests.entries()) {
    const path = isBatch ? `requests[${index}].` : ""
    // Within a batch every request has to name the model of the address.
    if (isBatch && request.model !== `models/${model}`) {
      return Result.fail(broken(message, `${path}model`, "unexpected model name format"))
    }
    const text = (request.content.parts ?? []).map((part) => part.text ?? "").join("")
    if (text === "") {
      return Result.fail(broken(message, `${path}content`, "contains an empty Part."))
    }
    const dimensions = request.outputDimensionality ?? longest
    if (dimensions > longest) {
      return Result.fail(
        broken(
          message,
          `${path}output_dimensionality`,
          `output_dimensionality must be in the range [1, ${longest}].`
        )
      )
    }
    inputs.push({ text, dimensions })
  }
  const texts = inputs.map(({ text }) => text)
  if (EmbeddingVector.isPoisoned(limits.embeddings, texts)) {
    return Result.fail(invalid("Request contains an invalid argument."))
  }
  return Result.succeed({ model, inputs, longest, batch: isBatch })
}

const answer = (asked: Asked, context: AnswerContext): WireAnswer => ({
  completionTokens: 0,
  body: () => {
    const embeddings = (context.fault === "noChoices" ? [] : asked.inputs).map(
      ({ dimensions, text }) => {
        const vector = EmbeddingVector.make(context.seed, asked.model, text, asked.longest)
        return { values: EmbeddingVector.toNumbers(vector.subarray(0, dimensions)) }
      }
    )
    return JSON.stringify(asked.batch ? { embeddings } : { embedding: embeddings[0] ?? {} })
  }
})
