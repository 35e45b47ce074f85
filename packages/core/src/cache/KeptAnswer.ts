/**
 * The form in which answers are kept: as text, one codec per operation.
 *
 * The provider's body is not kept: it is many times the size of what is read from it.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

import type { Reusable } from "../Call.ts"
import type { Embeddings } from "../operation/Embed.ts"
import type { Generation } from "../operation/Generate.ts"
import { ToolCall } from "../operation/ToolCall.ts"
import { TokenUsage } from "../operation/Usage.ts"
import type { Answer } from "../provider/Provider.ts"

const answerOf = <V extends Schema.Constraint>(value: V) =>
  Schema.fromJsonString(
    Schema.toCodecJson(
      Schema.Struct({
        value,
        usage: Schema.optional(TokenUsage),
        requestId: Schema.optional(Schema.String)
      })
    )
  )

const Choice = Schema.Struct({
  text: Schema.String,
  reasoning: Schema.optional(Schema.String),
  refusal: Schema.optional(Schema.String),
  toolCalls: Schema.Array(ToolCall),
  finishReason: Schema.Literals([
    "stop",
    "length",
    "content-filter",
    "tool-calls",
    "error",
    "pause",
    "other",
    "unknown"
  ]),
  // Whatever the provider sent, as text: `null` and absent stay two things.
  logprobs: Schema.optional(Schema.fromJsonString(Schema.Json)),
  content: Schema.optional(Prompt.AssistantMessage.fields.content)
})

const KeptGeneration = answerOf(
  Schema.Struct({ modelId: Schema.String, choices: Schema.NonEmptyArray(Choice) })
)

/** A vector as its bytes: exact, and a third of the size of its digits. */
const Vector = Schema.Uint8ArrayFromBase64.pipe(
  Schema.decodeTo(
    Schema.instanceOf(Float32Array),
    SchemaTransformation.transform({
      // The bytes may begin anywhere in their buffer, floats may not.
      decode: (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer),
      encode: ({ buffer, byteLength, byteOffset }: Float32Array) =>
        new Uint8Array(buffer, byteOffset, byteLength)
    })
  )
)

const KeptEmbeddings = answerOf(
  Schema.Struct({ modelId: Schema.String, vectors: Schema.Array(Vector) })
)

type Kept = { readonly value: unknown; readonly usage?: unknown; readonly requestId?: unknown }

/** Made once: compiling a codec costs more than using it. */
const reusable = <A>(schema: Schema.Codec<Kept, string>) => {
  const encode = Schema.encodeUnknownOption(schema)
  const decode = Schema.decodeUnknownOption(schema)
  const codec: Omit<Reusable<A>, "identity"> = {
    encode: ({ requestId, usage, value }) => encode({ value, usage, requestId }),
    decode: (text) =>
      Option.map(
        decode(text),
        // What was encoded from an answer of this operation decodes to one.
        (kept) => ({ ...kept, rateLimits: undefined, body: undefined }) as Answer<A>
      )
  }
  return (identity: unknown): Reusable<A> => ({ identity, ...codec })
}

/**
 * How the answer to a generation is kept; `identity` is the request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const generation: (identity: unknown) => Reusable<Generation> = reusable(KeptGeneration)

/**
 * How the answer to an embedding request is kept; `identity` is the request.
 *
 * @category constructors
 * @since 0.1.0
 */
export const embeddings: (identity: unknown) => Reusable<Embeddings> = reusable(KeptEmbeddings)
