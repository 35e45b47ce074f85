/**
 * The flags that say how each row is asked: endpoint, sampling, system message, form of the answer.
 *
 * @since 0.1.0
 */
import type { GenerateOptions } from "@infermesh/core/Inference"
import { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import { firstIssue } from "@infermesh/core/operation/Issue"
import * as StructuredOutput from "@infermesh/core/output/StructuredOutput"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import { readFile } from "../AppLayer.ts"
import { CannotRun, WrongUsage } from "../ExitCode.ts"

type JsonObject = { readonly [key: string]: unknown }

/**
 * Endpoint, sampling, system message, JSON Schema of the answer, further fields of the body.
 *
 * @category flags
 * @since 0.1.0
 */
export const request = {
  endpoint: Flag.Literals("endpoint", ["chat_completion", "text_completion", "responses"]).pipe(
    Flag.withDescription("The provider's endpoint; default chat_completion"),
    Flag.withDefault("chat_completion" as const)
  ),
  temperature: Flag.Finite("temperature").pipe(
    Flag.withDescription("Sampling temperature, 0 to 2"),
    Flag.optional
  ),
  topP: Flag.Finite("top-p").pipe(Flag.withDescription("Nucleus sampling, 0 to 1"), Flag.optional),
  maxTokens: Flag.Int("max-tokens").pipe(
    Flag.withDescription("Most tokens of an answer"),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(Flag.withDescription("Sampling seed"), Flag.optional),
  system: Flag.String("system").pipe(
    Flag.withDescription("System message before every row that has none"),
    Flag.withMetavar("TEXT"),
    Flag.optional
  ),
  schema: Flag.String("schema").pipe(
    Flag.withDescription("JSON Schema file that answers must fit; they are parsed by it"),
    Flag.withMetavar("FILE"),
    Flag.optional
  ),
  extraBody: Flag.String("extra-body").pipe(
    Flag.withDescription("JSON object of further fields for the request body"),
    Flag.withMetavar("JSON"),
    Flag.optional
  )
}

/**
 * The options of every row. What can be found wrong with them is found here, once, and not by every row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const options = Effect.fnUntraced(function* (given: {
  readonly endpoint: "chat_completion" | "text_completion" | "responses"
  readonly temperature: Option.Option<number>
  readonly topP: Option.Option<number>
  readonly maxTokens: Option.Option<number>
  readonly seed: Option.Option<number>
  readonly system: Option.Option<string>
  readonly schema: Option.Option<string>
  readonly extraBody: Option.Option<string>
}) {
  if (given.endpoint === "text_completion" && Option.isSome(given.system)) {
    return yield* new WrongUsage({
      message: "--system: the text_completion endpoint takes no system message; drop one of them"
    })
  }
  const model = {
    temperature: Option.getOrUndefined(given.temperature),
    topP: Option.getOrUndefined(given.topP),
    maxTokens: Option.getOrUndefined(given.maxTokens),
    seed: Option.getOrUndefined(given.seed),
    extraBody: Option.isNone(given.extraBody)
      ? undefined
      : yield* jsonObject(
          given.extraBody.value,
          (problem) => new WrongUsage({ message: `--extra-body: ${problem}` })
        )
  }
  const checked = decode(model)
  if (Result.isFailure(checked)) {
    const { path, problem } = firstIssue(checked.failure.issue)
    return yield* new WrongUsage({ message: `${flagOf(path)}: ${problem}` })
  }
  const all: GenerateOptions<JsonObject | undefined> = {
    ...checked.success,
    endpoint: given.endpoint,
    output: Option.isNone(given.schema) ? undefined : yield* jsonSchema(given.schema.value)
  }
  return all
})

const decode = Schema.decodeUnknownResult(ModelOptions)

/** `.topP` is given by `--top-p`; what is behind a further dot is inside of its value. */
const flagOf = (path: string): string => {
  const [, name = "", ...inside] = path.split(".")
  const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  return [flag, ...inside].join(".")
}

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
