/**
 * The input of the next turn of a conversation: what was said so far, the answer, and the results of the tools it called.
 *
 * It runs no tool and sends nothing. What only the provider of the answer can read (the signatures of its reasoning, items of
 * its own) goes back with it, in a `Prompt` and in a list of chat messages alike; the list stays plain JSON.
 *
 * **Example** (A model that asks for the weather)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Inference from "@infermesh/core/Inference"
 * import { nextTurn } from "@infermesh/core/operation/NextTurn"
 *
 * const tools = [
 *   {
 *     name: "weather",
 *     description: "Tells the weather in a city",
 *     parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
 *   }
 * ]
 *
 * const program = Effect.gen(function* () {
 *   const question = "Do I need an umbrella in Oslo?"
 *   const asked = yield* Inference.generate(question, { tools })
 *   const results = asked.toolCalls.map(({ id }) => ({ id, result: { weather: "rain" } }))
 *   const answer = yield* Inference.generate(yield* nextTurn(question, asked, results), { tools })
 *   return answer.outputText
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Effect from "effect/Effect"

import { InvalidInput } from "../Reason.ts"
import type { Choice, ResponsesInput } from "./Generate.ts"
import type { ChatMessage } from "./Message.ts"
import * as Message from "./Message.ts"

/**
 * What a tool came to.
 *
 * @category models
 * @since 0.1.0
 */
export interface ToolResult {
  /** The id of the call that it answers. */
  readonly id: string
  /** A text, or a value that becomes JSON. */
  readonly result: unknown
  /** Whether the tool failed; then `result` says why. Default false. */
  readonly isFailure?: boolean | undefined
}

/**
 * An answer, as `generate` gives it; of several choices the first one counts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answered {
  readonly choices: readonly [Choice, ...ReadonlyArray<Choice>]
}

/**
 * The conversation with an answer and the results of its tool calls, in the form of the input: a prompt for a prompt, a
 * Responses input for one, else a list of chat messages.
 *
 * **Errors**: `InvalidInput` when a call has no result, or a result no call: providers refuse such conversations.
 *
 * **Gotchas**: an input of the Responses API gets the answer's text and calls, but not its reasoning, which that form of
 * input cannot be given here; use messages or a `Prompt` with `endpoint: "responses"` for that.
 *
 * @category constructors
 * @since 0.1.0
 */
export const nextTurn: {
  (
    input: string | ReadonlyArray<ChatMessage>,
    answer: Answered,
    results?: ReadonlyArray<ToolResult>
  ): Effect.Effect<ReadonlyArray<ChatMessage>, InvalidInput>
  (
    input: Prompt.Prompt,
    answer: Answered,
    results?: ReadonlyArray<ToolResult>
  ): Effect.Effect<Prompt.Prompt, InvalidInput>
  (
    input: ResponsesInput,
    answer: Answered,
    results?: ReadonlyArray<ToolResult>
  ): Effect.Effect<ResponsesInput, InvalidInput>
} = ((
  input: string | ReadonlyArray<ChatMessage> | Prompt.Prompt | ResponsesInput,
  { choices: [choice] }: Answered,
  results: ReadonlyArray<ToolResult> = []
): Effect.Effect<typeof input, InvalidInput> => {
  const fault = unmatched(choice, results)
  if (fault !== undefined) return Effect.fail(fault)
  if (typeof input === "string") {
    return Effect.succeed([{ role: "user", content: input }, ...chatMessages(choice, results)])
  }
  if (Array.isArray(input)) {
    return Effect.succeed([
      ...(input as ReadonlyArray<ChatMessage>),
      ...chatMessages(choice, results)
    ])
  }
  return Effect.succeed(
    Prompt.isPrompt(input)
      ? Prompt.fromMessages([...input.content, ...promptMessages(choice, results)])
      : withItems(input as ResponsesInput, [
          ...said(choice),
          ...choice.toolCalls.map((call) => ({
            type: "function_call",
            call_id: call.id,
            name: call.name,
            arguments: call.arguments ?? ""
          })),
          ...results.map(({ id, result }) => ({
            type: "function_call_output",
            call_id: id,
            output: text(result)
          }))
        ])
  )
}) as never

const unmatched = (
  { toolCalls }: Choice,
  results: ReadonlyArray<ToolResult>
): InvalidInput | undefined => {
  const open = toolCalls.find(({ id }) => !results.some((result) => result.id === id))
  if (open !== undefined) {
    return new InvalidInput({
      input: "results",
      problem: `the call '${open.id}' of the tool '${open.name}' has no result`,
      hint: "Give one for each of the answer's toolCalls, also where the tool failed"
    })
  }
  const stray = results.find(
    ({ id }, index) =>
      !toolCalls.some((call) => call.id === id) ||
      results.findIndex((result) => result.id === id) !== index
  )
  return stray === undefined
    ? undefined
    : new InvalidInput({
        input: "results",
        problem: `'${stray.id}' is no open call of the answer`,
        hint: "Each result has the id of one call in toolCalls"
      })
}

const text = (result: unknown): string =>
  typeof result === "string" ? result : (JSON.stringify(result) ?? "")

/** Servers whose models think between calls want the thoughts back while a turn lasts, and refuse them after it. */
const openReasoning = ({ reasoning, toolCalls }: Choice): string | undefined =>
  toolCalls.length > 0 ? reasoning : undefined

const chatMessages = (
  choice: Choice,
  results: ReadonlyArray<ToolResult>
): ReadonlyArray<ChatMessage> => {
  const { content: parts, refusal, text: content, toolCalls } = choice
  const reasoning = openReasoning(choice)
  return [
    {
      role: "assistant",
      content: content === "" && toolCalls.length > 0 ? null : content,
      ...(refusal === undefined ? {} : { refusal }),
      ...(reasoning === undefined ? {} : { reasoning_content: reasoning }),
      ...(toolCalls.length === 0
        ? {}
        : {
            tool_calls: toolCalls.map(({ arguments: source = "", id, name }) => ({
              id,
              type: "function" as const,
              function: { name, arguments: source }
            }))
          }),
      ...(parts === undefined ? {} : { parts })
    },
    ...results.map(({ id, isFailure, result }) => ({
      role: "tool" as const,
      tool_call_id: id,
      content: text(result),
      ...(isFailure === true ? { is_error: true } : {})
    }))
  ]
}

const promptMessages = (
  choice: Choice,
  results: ReadonlyArray<ToolResult>
): ReadonlyArray<Prompt.Message> => {
  const toolMessage =
    results.length === 0
      ? []
      : [
          Prompt.makeMessage("tool", {
            content: results.map(({ id, isFailure = false, result }) =>
              Prompt.makePart("tool-result", {
                id,
                name: choice.toolCalls.find((call) => call.id === id)?.name ?? "",
                isFailure,
                result,
                providerExecuted: false
              })
            )
          })
        ]
  return [Prompt.makeMessage("assistant", { content: assistantParts(choice) }), ...toolMessage]
}

/**
 * An answer as the parts of an assistant's message: those its provider gave for that, else what its other fields say.
 *
 * @category conversions
 * @since 0.1.0
 */
export const assistantParts = (choice: Choice): ReadonlyArray<Prompt.AssistantMessagePart> => {
  if (choice.content !== undefined) return choice.content
  const reasoning = openReasoning(choice)
  return [
    ...(reasoning === undefined ? [] : [Prompt.makePart("reasoning", { text: reasoning })]),
    ...(choice.text === "" ? [] : [Prompt.makePart("text", { text: choice.text })]),
    ...choice.toolCalls.map(Message.toolCallPart)
  ]
}

const said = ({ text: content }: Choice) => (content === "" ? [] : [{ role: "assistant", content }])

/**
 * A Responses input with further items behind its own.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withItems = (
  input: ResponsesInput,
  items: ReadonlyArray<{ readonly [key: string]: unknown }>
): ResponsesInput => ({
  ...input,
  input: [
    ...(typeof input.input === "string" ? [{ role: "user", content: input.input }] : input.input),
    ...items
  ]
})
