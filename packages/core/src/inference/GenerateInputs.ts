/**
 * From what a caller gives to a validated generation request: everything a caller can get wrong is found here, before anything
 * is waited for or spent.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Tool from "effect/ai/Tool"
import * as Result from "effect/Result"

import type {
  EndpointType,
  GenerateInput,
  GenerateRequest,
  ResponsesInput
} from "../operation/Generate.ts"
import type { TimeOptions } from "../operation/GenerateOptions.ts"
import { ModelOptions } from "../operation/GenerateOptions.ts"
import * as Message from "../operation/Message.ts"
import type { ToolChoice, ToolDefinition } from "../operation/ToolCall.ts"
import { InvalidInput } from "../Reason.ts"
import * as Options from "./Options.ts"
import * as Run from "./Run.ts"

/**
 * What a caller may set on one generation.
 *
 * @category models
 * @since 0.1.0
 */
export interface GenerateOptions<O = undefined> extends ModelOptions, TimeOptions {
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
export interface GenerateDefaults extends ModelOptions, TimeOptions {
  readonly endpoint?: EndpointType | undefined
}

/**
 * A validated generation, but for the output's form.
 *
 * @category models
 * @since 0.1.0
 */
export interface Prepared {
  readonly request: Omit<GenerateRequest, "output">
  readonly timeoutMillis: number
  readonly deadlineMillis: number
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
  const tools = options.tools === undefined ? noTools : toolDefinitions(options.tools)
  if (tools instanceof InvalidInput) return Result.fail(tools)
  const choice = checkToolChoice(options.toolChoice, tools)
  if (choice !== undefined) return Result.fail(choice)
  const limits = Run.timeLimits(options, defaults)
  if (limits instanceof InvalidInput) return Result.fail(limits)
  return Result.succeed({
    request: {
      endpoint,
      ...source.success,
      options: withDefaults(options, defaults),
      tools,
      toolChoice: options.toolChoice
    },
    ...limits
  })
}

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
  "output",
  "rawResponse",
  "timeout",
  "deadline",
  "endpoint",
  "tools",
  "toolChoice"
])

const checkOptions = Options.checker(ModelOptions, [...ours])

const withDefaults = (options: object, defaults: object): ModelOptions => {
  const merged: Record<string, unknown> = {}
  for (const source of [defaults, options] as ReadonlyArray<Record<string, unknown>>) {
    for (const key in source)
      if (source[key] !== undefined && !ours.has(key)) merged[key] = source[key]
  }
  return merged
}

const noTools: ReadonlyArray<ToolDefinition> = []

/** Tool definitions already made: the JSON Schema of a Schema is costly, and batches pass the same tools for every input. */
const knownTools = new WeakMap<object, ToolDefinition>()

const toolDefinitions = (
  tools: ReadonlyArray<Tool.Any | ToolDefinition>
): ReadonlyArray<ToolDefinition> | InvalidInput => {
  if (!Array.isArray(tools)) {
    return new InvalidInput({
      input: "tools",
      problem: "it is no list",
      hint: "The tools of a toolkit are Object.values(toolkit.tools)"
    })
  }
  const definitions: Array<ToolDefinition> = []
  for (const [index, tool] of tools.entries()) {
    const definition = knownTools.get(tool) ?? toolDefinition(tool, `tools[${index}]`)
    if (definition instanceof InvalidInput) return definition
    if (definitions.some(({ name }) => name === definition.name)) {
      return new InvalidInput({
        input: `tools[${index}]`,
        problem: `another tool is called '${definition.name}' too`
      })
    }
    knownTools.set(tool, definition)
    definitions.push(definition)
  }
  return definitions
}

const toolDefinition = (
  tool: Tool.Any | ToolDefinition,
  input: string
): ToolDefinition | InvalidInput => {
  if (isDefinition(tool)) return tool
  if (Tool.isProviderDefined(tool)) {
    return new InvalidInput({
      input,
      problem: `the provider runs the tool '${tool.name}' itself, so it cannot be sent as a function`,
      hint: "Put it into extraBody in the provider's own form"
    })
  }
  if (!Tool.isUserDefined(tool) && !Tool.isDynamic(tool)) {
    return new InvalidInput({
      input,
      problem: "it is no tool",
      hint: "Give a Tool of effect/ai, or { name, description, parameters } with a JSON Schema"
    })
  }
  try {
    return {
      name: tool.name,
      description: Tool.getDescription(tool),
      parameters: Tool.getJsonSchema(tool),
      strict: Tool.getStrictMode(tool)
    }
  } catch (cause) {
    return new InvalidInput({
      input,
      problem: `the parameters of '${tool.name}' have no JSON Schema: ${cause instanceof Error ? cause.message : "unknown"}`
    })
  }
}

const isDefinition = (tool: Tool.Any | ToolDefinition): tool is ToolDefinition =>
  typeof tool === "object" &&
  tool !== null &&
  "parameters" in tool &&
  typeof tool.parameters === "object" &&
  tool.parameters !== null &&
  typeof tool.name === "string" &&
  tool.name !== ""

const checkToolChoice = (
  choice: ToolChoice | undefined,
  tools: ReadonlyArray<ToolDefinition>
): InvalidInput | undefined => {
  if (choice === undefined || choice === "auto" || choice === "none") return undefined
  const named = typeof choice === "object" && choice !== null ? choice.tool : undefined
  if (choice !== "required" && typeof named !== "string") {
    return new InvalidInput({
      input: "toolChoice",
      problem: "there is no such choice",
      hint: 'It is "auto", "none", "required" or { tool: name }'
    })
  }
  const found = named === undefined ? tools.length > 0 : tools.some(({ name }) => name === named)
  if (found) return undefined
  return new InvalidInput({
    input: "toolChoice",
    problem:
      named === undefined ? "a tool is required but none is given" : `there is no tool '${named}'`,
    hint: "Give the tools in 'tools'"
  })
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
