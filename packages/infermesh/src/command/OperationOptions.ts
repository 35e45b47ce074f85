/**
 * The flags of an operation as its options: what can be found wrong with them is found here, once, and not by every row.
 *
 * @since 0.1.0
 */
import type { EmbedOptions, GenerateOptions, TranscribeOptions } from "@infermesh/core/Inference"
import { EmbedModelOptions } from "@infermesh/core/operation/Embed"
import { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import { firstIssue } from "@infermesh/core/operation/Issue"
import { TranscribeModelOptions } from "@infermesh/core/operation/Transcribe"
import * as StructuredOutput from "@infermesh/core/output/StructuredOutput"
import type * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import { readFile } from "../AppLayer.ts"
import { CannotRun, WrongUsage } from "../ExitCode.ts"
import type { extraBody, request } from "../flag/Request.ts"

type JsonObject = { readonly [key: string]: unknown }
type ExtraBodyFlags = Command.Command.Config.Infer<typeof extraBody>

/**
 * The options of every generation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const generate = Effect.fnUntraced(function* (
  given: Command.Command.Config.Infer<typeof request>
) {
  if (given.endpoint === "text_completion" && Option.isSome(given.system)) {
    return yield* new WrongUsage({
      message: "--system: the text_completion endpoint takes no system message; drop one of them"
    })
  }
  if (given.parseJson && Option.isSome(given.schema)) {
    return yield* new WrongUsage({
      message: "--schema parses answers already; drop --parse-json"
    })
  }
  const options: GenerateOptions<JsonObject | undefined> = {
    ...(yield* checked(ModelOptions, {
      temperature: Option.getOrUndefined(given.temperature),
      topP: Option.getOrUndefined(given.topP),
      maxTokens: Option.getOrUndefined(given.maxTokens),
      seed: Option.getOrUndefined(given.seed),
      stop: given.stop.length === 0 ? undefined : given.stop,
      extraBody: yield* bodyOf(given)
    })),
    endpoint: given.endpoint,
    output: Option.isNone(given.schema) ? undefined : yield* jsonSchema(given.schema.value)
  }
  return options
})

/**
 * The options of every embedding.
 *
 * @category constructors
 * @since 0.1.0
 */
export const embed = Effect.fnUntraced(function* (
  given: ExtraBodyFlags & { readonly dimensions: Option.Option<number> }
) {
  const options: Omit<EmbedOptions, "vectors" | "rawResponse"> = yield* checked(EmbedModelOptions, {
    dimensions: Option.getOrUndefined(given.dimensions),
    extraBody: yield* bodyOf(given)
  })
  return options
})

/**
 * The options of every transcription.
 *
 * @category constructors
 * @since 0.1.0
 */
export const transcribe = Effect.fnUntraced(function* (
  given: ExtraBodyFlags & {
    readonly language: Option.Option<string>
    readonly prompt: Option.Option<string>
    readonly temperature: Option.Option<number>
    readonly responseFormat: string | undefined
  }
) {
  const options: TranscribeOptions = yield* checked(TranscribeModelOptions, {
    language: Option.getOrUndefined(given.language),
    prompt: Option.getOrUndefined(given.prompt),
    temperature: Option.getOrUndefined(given.temperature),
    responseFormat: given.responseFormat,
    extraBody: yield* bodyOf(given)
  })
  return options
})

/** Options that are not given stay absent, so that they are no part of a job's identity. */
const checked = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  options: object
): Effect.Effect<S["Type"], WrongUsage> => {
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined)
  )
  const result = Schema.decodeUnknownResult(schema)(given)
  if (Result.isSuccess(result)) return Effect.succeed(result.success)
  const { path, problem } = firstIssue(result.failure.issue)
  return Effect.fail(new WrongUsage({ message: `${flagOf(path)}: ${problem}` }))
}

/** `.topP` is given by `--top-p`; what is behind a further dot is inside of its value. */
const flagOf = (path: string): string => {
  const [, name = "", ...inside] = path.split(".")
  const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  return [flag, ...inside].join(".")
}

const bodyOf = ({ extraBody }: ExtraBodyFlags) =>
  Option.isNone(extraBody)
    ? Effect.succeed(undefined)
    : jsonObject(
        extraBody.value,
        (problem) => new WrongUsage({ message: `--extra-body: ${problem}; write '{"top_k": 20}'` })
      )

const jsonSchema = Effect.fnUntraced(function* (path: string) {
  const cannot = (problem: string) => new CannotRun({ message: `${path}: ${problem}` })
  const schema = yield* jsonObject(yield* readFile(path), cannot)
  yield* Effect.mapError(StructuredOutput.format(schema), ({ description }) => cannot(description))
  return schema
})

const jsonObject = Effect.fnUntraced(function* <E>(json: string, fail: (problem: string) => E) {
  const parsed = yield* Effect.try({
    try: (): unknown => JSON.parse(json.replace(/^\uFEFF/, "")),
    catch: () => fail("it is no JSON")
  })
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
    ? (parsed as JsonObject)
    : yield* Effect.fail(fail("it is no JSON object"))
})
