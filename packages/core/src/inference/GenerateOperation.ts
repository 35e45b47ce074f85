/**
 * The generate operation, whole and streamed: a request through the pipeline, and its answer made the result.
 *
 * How input becomes a request is in `GenerateInputs`; how parts leave a running attempt is in `GenerateStream`.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"

import * as KeptAnswer from "../cache/KeptAnswer.ts"
import type { Plan } from "../Call.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { Choice, GenerateInput, GenerateRequest, Generation } from "../operation/Generate.ts"
import { GenerationResult } from "../operation/Generate.ts"
import type { OutputMode } from "../operation/GenerateOptions.ts"
import * as Instructions from "../output/Instructions.ts"
import * as Reasoning from "../output/Reasoning.ts"
import type { Output, OutputFormat } from "../output/StructuredOutput.ts"
import * as StructuredOutput from "../output/StructuredOutput.ts"
import { AttemptError } from "../provider/Provider.ts"
import { Unsupported } from "../Reason.ts"
import type { Pricing } from "../telemetry/Pricing.ts"
import type { GenerateDefaults, GenerateOptions, Prepared } from "./GenerateInputs.ts"
import { prepare, texts } from "./GenerateInputs.ts"
import * as Options from "./Options.ts"
import * as Repair from "./Repair.ts"
import type { Outcome } from "./Run.ts"
import * as Run from "./Run.ts"

/**
 * The type of `outputParsed` for an `output` option.
 *
 * @category models
 * @since 0.1.0
 */
export type OutputType<O> =
  O extends Schema.Codec<infer A, infer _E, infer _RD, infer _RE>
    ? A
    : O extends object
      ? unknown
      : undefined

/**
 * What the generate operation needs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Environment extends Run.RunEnvironment {
  readonly pricing: Pricing["Service"]
  readonly defaults: GenerateDefaults
}

/**
 * Builds the operation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (environment: Environment) => {
  const run = Run.run(environment)
  return <O extends Output<unknown> | undefined = undefined>(
    input: GenerateInput,
    options: GenerateOptions<O> = Options.none
  ): Effect.Effect<GenerationResult<OutputType<O>>, InferenceError> => {
    const prepared = prepare(input, options, environment.defaults)
    if (Result.isFailure(prepared)) return Effect.fail(Run.refused("generate", prepared.failure))
    const attempt = (format: OutputFormat<unknown> | undefined) =>
      Repair.run(prepared.success, (turn) =>
        run(toPlan(turn, format, generateOnce), (outcome) =>
          finish(environment, outcome, format, options)
        )
      )
    const result =
      options.output === undefined ? attempt(undefined) : withFormat(options.output, attempt)
    // The parsed output was decoded by the very schema whose type this is.
    return result as Effect.Effect<GenerationResult<OutputType<O>>, InferenceError>
  }
}

/**
 * Goes on with the wire form of an `output` option; one that cannot be sent is refused before anything is spent.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withFormat = <A>(
  output: Output<unknown>,
  next: (format: OutputFormat<unknown>) => Effect.Effect<A, InferenceError>
): Effect.Effect<A, InferenceError> =>
  Effect.matchEffect(StructuredOutput.format(output), {
    onFailure: (reason) => Effect.fail(Run.refused("generate", reason)),
    onSuccess: next
  })

const generateOnce =
  (request: GenerateRequest): Plan<Generation>["send"] =>
  (connection) =>
    connection.generate?.(request) ?? unsupported("text generation")

/**
 * The failure of asking a provider for what it has not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unsupported = (feature: string) =>
  Effect.fail(
    new AttemptError({
      reason: new Unsupported({
        provider: "This provider",
        feature,
        hint: "Use a deployment of another provider"
      }),
      outcome: "unsent"
    })
  )

/**
 * The pipeline's plan for a prepared generation.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toPlan = (
  prepared: Prepared,
  output: OutputFormat<unknown> | undefined,
  send: (request: GenerateRequest) => Plan<Generation>["send"]
): Plan<Generation> => {
  const request = told({ ...prepared.request, output }, prepared.outputMode)
  return {
    operation: "generate",
    ...prepared.route,
    request,
    send: send(request),
    size: {
      texts: texts(request.prompt, request.tools),
      messageCount: request.prompt.content.length,
      maxOutputTokens: request.options.maxTokens,
      choices: request.options.n ?? 1
    },
    retriesSpent: prepared.retriesSpent,
    reuse: KeptAnswer.generation({
      model: prepared.route.model,
      tags: prepared.route.tags,
      request
    }),
    timeoutMillis: prepared.timeoutMillis,
    deadlineMillis: prepared.deadlineMillis
  }
}

/** What the provider is told of the form of the answer; the answer is read by it in any case. */
const told = (request: GenerateRequest, mode: OutputMode): GenerateRequest => {
  if (mode === "provider") return request
  return { ...(mode === "prompt" ? Instructions.inWords(request) : request), output: undefined }
}

/**
 * The stages after settling: parse, price, result.
 *
 * @category combinators
 * @since 0.1.0
 */
export const finish = (
  environment: Environment,
  outcome: Outcome<Generation>,
  format: OutputFormat<unknown> | undefined,
  options: GenerateOptions<unknown>
): Effect.Effect<GenerationResult<unknown>, InferenceError> => {
  const { answer, metrics } = outcome
  const [one, ...others] = answer.value.choices
  const first = Reasoning.apart(one)
  const choices: Generation["choices"] = [first, ...others.map(Reasoning.apart)]
  const result = <A>(outputParsed: A) =>
    new GenerationResult({
      generation: { modelId: answer.value.modelId, choices },
      outputParsed,
      tokenUsage: answer.usage,
      requestId: answer.requestId,
      cost: Run.price(environment.pricing, outcome, answer.value.modelId),
      metrics,
      rawResponse: options.rawResponse === true ? answer.body : undefined
    })
  const filtered = first.finishReason === "content-filter" ? "the answer was filtered" : undefined
  const refusal = first.refusal ?? filtered
  // An error captures the stack, which takes longer than the rest of this function.
  const refused = (description: string) => new AiError.ContentPolicyError({ description })
  if (refusal !== undefined && first.text === "") {
    return Effect.fail(Run.misfit(outcome, refused(refusal), result(undefined)))
  }
  // A model that asked for tools has not answered yet: there is nothing to parse.
  if (format === undefined || (first.text.trim() === "" && first.toolCalls.length > 0)) {
    return Effect.succeed(result(undefined))
  }
  return Effect.mapBoth(format.decode(first.text), {
    onFailure: (reason) =>
      Run.misfit(
        outcome,
        refusal === undefined ? complete(reason, first) : refused(refusal),
        result(undefined)
      ),
    onSuccess: result
  })
}

/** What no schema can say: the answer may well have been right as far as it came. */
const complete = (reason: AiError.StructuredOutputError, { finishReason }: Choice) =>
  finishReason === "length"
    ? new AiError.StructuredOutputError({
        description: `the answer was cut off at its token limit, raise maxTokens (${reason.description})`,
        responseText: reason.responseText
      })
    : reason
