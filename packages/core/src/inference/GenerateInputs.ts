/**
 * From what a caller gives to a validated generation request: everything a caller can get wrong is found here, before anything
 * is waited for or spent.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import type * as Tool from "effect/ai/Tool"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

import type { GenerateInput, GenerateRequest, ResponsesInput } from "../operation/Generate.ts"
import type {
  DefaultOptions,
  EndpointType,
  OutputMode,
  TimeOptions
} from "../operation/GenerateOptions.ts"
import { ModelOptions, OutputOptions } from "../operation/GenerateOptions.ts"
import * as Message from "../operation/Message.ts"
import type { RouteOptions } from "../operation/RouteOptions.ts"
import * as RouteOptionsModule from "../operation/RouteOptions.ts"
import type { ToolChoice, ToolDefinition } from "../operation/ToolCall.ts"
import { InvalidInput } from "../Reason.ts"
import * as Options from "./Options.ts"
import * as Run from "./Run.ts"
import * as ToolInputs from "./ToolInputs.ts"

/**
 * What a caller may set on one generation.
 *
 * @category models
 * @since 0.1.0
 */
export interface GenerateOptions<O = undefined>
  extends ModelOptions, OutputOptions, RouteOptions, TimeOptions {
  /** Which of the provider's endpoints is used. Default: the client's, `chat_completion`. */
  readonly endpoint?: EndpointType | undefined
  /** The form the answer shall have: a Schema, or a plain JSON Schema object. */
  readonly output?: O | undefined
  /** Tools the model may call: those of `effect/ai`, or plain definitions with a JSON Schema. */
  readonly tools?: ReadonlyArray<Tool.Any | ToolDefinition> | undefined
  readonly toolChoice?: ToolChoice | undefined
  /** Keeps the parsed response body in the result; off by default, because it is many times the size of the result. */
  readonly rawResponse?: boolean | undefined
}

/**
 * The defaults a client gives to every generation.
 *
 * @category models
 * @since 0.1.0
 */
export interface GenerateDefaults extends DefaultOptions, RouteOptions, TimeOptions {}

/**
 * A validated generation, but for the output's form.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prepared {
  readonly request: Omit<GenerateRequest, "output">
  readonly outputMode: OutputMode
  readonly maxRepairs: number
  readonly route: RouteOptions
  readonly timeoutMillis: number
  readonly deadlineMillis: number
  /** What earlier turns have spent of the retries; absent at first. */
  readonly retriesSpent?: number | undefined
}

/**
 * Checks input and options, and completes them by the client's defaults; a call's own options win, field by field.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prepare = (
  input: GenerateInput,
  options: GenerateOptions<unknown>,
  defaults: GenerateDefaults
): Result.Result<Prepared, InvalidInput> => {
  const checked = checkOptions(options)
  if (checked !== undefined) return Result.fail(checked)
  const endpoint = options.endpoint ?? defaults.endpoint ?? "chat_completion"
  const source = fromInput(input, endpoint)
  if (Result.isFailure(source)) return Result.fail(source.failure)
  const tools = ToolInputs.definitions(options.tools)
  if (tools instanceof InvalidInput) return Result.fail(tools)
  const choice = ToolInputs.checkChoice(options.toolChoice, tools)
  if (choice !== undefined) return Result.fail(choice)
  const limits = Run.timeLimits(options, defaults)
  if (limits instanceof InvalidInput) return Result.fail(limits)
  const merged = withDefaults(options, defaults)
  const outputMode = options.outputMode ?? defaults.outputMode ?? "provider"
  const wrong =
    checkOutput(options, endpoint, outputMode) ?? checkRepairs(options, endpoint, merged)
  if (wrong !== undefined) return Result.fail(wrong)
  const isRepairable = cannotRepair(endpoint, merged) === undefined
  return Result.succeed({
    request: {
      endpoint,
      ...source.success,
      options: merged,
      tools,
      toolChoice: options.toolChoice
    },
    outputMode,
    route: RouteOptionsModule.of(options, defaults),
    maxRepairs: isRepairable ? (options.maxRepairs ?? defaults.maxRepairs ?? 0) : 0,
    ...limits
  })
}

const checkOutput = (
  { output }: GenerateOptions<unknown>,
  endpoint: EndpointType,
  mode: OutputMode
): InvalidInput | undefined =>
  output !== undefined && mode === "prompt" && endpoint === "text_completion"
    ? new InvalidInput({
        input: "outputMode",
        problem: "a text completion has no place beside its text where the form could be told",
        hint: "Say it in the text, and use outputMode 'none'"
      })
    : undefined

const checkRepairs = (
  { maxRepairs = 0 }: OutputOptions,
  endpoint: EndpointType,
  options: ModelOptions
): InvalidInput | undefined => {
  const problem = maxRepairs > 0 ? cannotRepair(endpoint, options) : undefined
  return problem === undefined
    ? undefined
    : new InvalidInput({ input: "maxRepairs", problem, hint: "Leave it out here" })
}

/** Why no answer of a request can go back to the model; a client's default then does not count. */
const cannotRepair = (endpoint: EndpointType, { n = 1 }: ModelOptions): string | undefined =>
  endpoint === "text_completion"
    ? "a text completion has no second turn"
    : n > 1
      ? `of ${n} answers none is the one to repair`
      : undefined

type Source = Pick<GenerateRequest, "prompt" | "responsesInput">

/** What each endpoint accepts, for the message that refuses the rest. */
const acceptedForms: Record<EndpointType, string> = {
  chat_completion: "a string, a list of chat messages or an effect/ai Prompt",
  text_completion: "a string",
  responses: "a string, { input, instructions?, … }, a list of chat messages or an effect/ai Prompt"
}

const fromInput = (
  input: GenerateInput,
  endpoint: EndpointType
): Result.Result<Source, InvalidInput> => {
  if (!Object.hasOwn(acceptedForms, endpoint)) {
    return refuse(
      "endpoint",
      `there is no endpoint '${endpoint}'`,
      Object.keys(acceptedForms).join(", ")
    )
  }
  if (typeof input === "string") {
    return Result.succeed({ prompt: Message.fromText(input), responsesInput: undefined })
  }
  if (endpoint !== "text_completion" && typeof input === "object" && input !== null) {
    if (Array.isArray(input)) {
      return Result.map(Message.toPrompt(input), (prompt) => ({
        prompt,
        responsesInput: undefined
      }))
    }
    if (Prompt.isPrompt(input)) {
      return input.content.length === 0
        ? refuse("input", "the prompt has no messages", acceptedForms[endpoint])
        : Result.succeed({ prompt: input, responsesInput: undefined })
    }
    if (endpoint === "responses" && isResponsesInput(input)) {
      return Result.succeed({ prompt: Message.fromText(textOf(input)), responsesInput: input })
    }
  }
  return refuse("input", `this is no input for the ${endpoint} endpoint`, acceptedForms[endpoint])
}

const refuse = (input: string, problem: string, accepted: string) =>
  Result.fail(new InvalidInput({ input, problem, hint: `It accepts ${accepted}` }))

const isResponsesInput = (input: object): input is ResponsesInput =>
  "input" in input &&
  (typeof input.input === "string" || (Array.isArray(input.input) && input.input.length > 0))

/** The text of a Responses input, for estimates only: the input itself is sent as it is. */
const textOf = (input: ResponsesInput): string =>
  `${input.instructions ?? ""}${typeof input.input === "string" ? input.input : JSON.stringify(input.input)}`

/** Fields of the options that are the library's own, not the model's. */
const ours = new Set([
  ...Object.keys(RouteOptionsModule.RouteOptions.fields),
  ...Object.keys(OutputOptions.fields),
  "output",
  "rawResponse",
  "timeout",
  "deadline",
  "endpoint",
  "tools",
  "toolChoice"
])

const checkKnown = Options.checker(
  Schema.Struct({ ...ModelOptions.fields, ...OutputOptions.fields }),
  [...ours]
)

const checkOptions = (options: GenerateOptions<unknown>): InvalidInput | undefined =>
  checkKnown(options) ??
  (options.extraBody?.["stream"] === undefined
    ? undefined
    : new InvalidInput({
        input: "extraBody.stream",
        problem: "whether an answer is streamed is not the body's matter",
        hint: "Use generateStream"
      }))

const withDefaults = (options: object, defaults: object): ModelOptions => {
  const merged: Record<string, unknown> = {}
  for (const source of [defaults, options] as ReadonlyArray<Record<string, unknown>>) {
    for (const key in source)
      if (source[key] !== undefined && !ours.has(key)) merged[key] = source[key]
  }
  return merged
}

/**
 * The texts of a prompt, produced only when somebody counts them.
 *
 * @category getters
 * @since 0.1.0
 */
export const texts = (
  prompt: Prompt.Prompt,
  tools: ReadonlyArray<ToolDefinition>
): Iterable<string> => ({
  *[Symbol.iterator]() {
    for (const tool of tools) yield JSON.stringify(tool)
    for (const message of prompt.content) {
      if (typeof message.content === "string") {
        yield message.content
        continue
      }
      for (const part of message.content) {
        switch (part.type) {
          case "text":
          case "reasoning":
            yield part.text
            break
          case "tool-call":
            yield JSON.stringify(part.params) ?? ""
            break
          case "tool-result":
            yield typeof part.result === "string"
              ? part.result
              : (JSON.stringify(part.result) ?? "")
            break
        }
      }
    }
  }
})
