/**
 * `effect/ai`'s `LanguageModel` on top of `Inference`: existing programs with toolkits and chats run through our router, quotas
 * and retries without a change.
 *
 * `effect/ai` builds the response and runs the tools; each of its provider calls is one request here. What its calls cannot
 * say (temperature, time-outs, …) is said by the reference `RequestOptions`.
 *
 * @since 0.1.0
 */
import * as LanguageModel from "effect/ai/LanguageModel"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

import type { GenerateOptions } from "../inference/GenerateInputs.ts"
import { Inference } from "../inference/InferenceService.ts"
import type { InferenceError } from "../InferenceError.ts"
import * as SchemaOutput from "../output/SchemaOutput.ts"
import * as StructuredOutput from "../output/StructuredOutput.ts"
import { toAiError } from "./AiErrors.ts"
import * as Remembered from "./Remembered.ts"
import * as ResponseParts from "./ResponseParts.ts"

/**
 * Options of the requests that a `LanguageModel` program makes.
 *
 * @category references
 * @since 0.1.0
 */
export const RequestOptions = Context.Reference<
  Omit<GenerateOptions<never>, "output" | "tools" | "toolChoice">
>("@infermesh/core/ai/AsLanguageModel/RequestOptions", { defaultValue: () => ({}) })

/**
 * The language model that `Inference` is.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<LanguageModel.LanguageModel, never, Inference> = Layer.effect(
  LanguageModel.LanguageModel,
  Effect.gen(function* () {
    const inference = yield* Inference
    return yield* LanguageModel.make({
      generateText: (options) =>
        Effect.flatMap(asked(options), (request) =>
          Effect.mapBoth(inference.generate(Remembered.restored(options.prompt), request), {
            onFailure: (error: InferenceError) => toAiError(error, "generateText"),
            onSuccess: (result) =>
              ResponseParts.whole(result, options.responseFormat.type === "json")
          })
        ),
      streamText: (options) =>
        Stream.unwrap(
          // A stream is not repaired, whatever is allowed for the program's other calls.
          Effect.map(asked(options), (request) =>
            inference
              .generateStream(Remembered.restored(options.prompt), { ...request, maxRepairs: 0 })
              .pipe(
                Stream.mapError((error) => toAiError(error, "streamText")),
                Stream.map(ResponseParts.streamed()),
                Stream.flattenIterable
              )
          )
        ),
      codecTransformer: SchemaOutput.toCodec
    })
  })
)

/** Our options for a call: those of `RequestOptions`, the tools, and the form of the answer. */
const asked = ({ responseFormat, toolChoice, tools }: LanguageModel.ProviderOptions) =>
  Effect.map(RequestOptions, (request) => ({
    ...request,
    ...(tools.length === 0 ? {} : { tools, toolChoice: mode(toolChoice) }),
    ...(responseFormat.type === "text" ? {} : { output: outputOf(responseFormat) })
  }))

/** Names are given by call: the same Schema under the same name is the same option, which is known by its identity. */
const outputs = new WeakMap<object, Map<string, StructuredOutput.JsonSchemaObject>>()

const outputOf = ({
  objectName,
  schema
}: Extract<LanguageModel.ProviderOptions["responseFormat"], { readonly type: "json" }>) => {
  const byName = outputs.get(schema) ?? new Map<string, StructuredOutput.JsonSchemaObject>()
  outputs.set(schema, byName)
  const output =
    byName.get(objectName) ??
    StructuredOutput.named(schema as Schema.Codec<unknown, unknown>, objectName)
  byName.set(objectName, output)
  return output
}

/** The tools of a `oneOf` are already the only ones given. */
const mode = (choice: LanguageModel.ToolChoice<string>) =>
  typeof choice === "string"
    ? choice
    : "tool" in choice
      ? { tool: choice.tool }
      : (choice.mode ?? "auto")
