/**
 * From the tools a caller gives to the definitions that providers receive.
 *
 * It runs no tool; what becomes of a call is the caller's matter, or `effect/ai`'s through the bridge.
 *
 * @since 0.1.0
 */
import * as Tool from "effect/ai/Tool"

import type { ToolChoice, ToolDefinition } from "../operation/ToolCall.ts"
import { InvalidInput } from "../Reason.ts"

const none: ReadonlyArray<ToolDefinition> = []

/** Tool definitions already made: the JSON Schema of a Schema is costly, and batches pass the same tools for every input. */
const known = new WeakMap<object, ToolDefinition>()

/**
 * The definitions of tools, as providers receive them; fails with the first that cannot be one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const definitions = (
  tools: ReadonlyArray<Tool.Any | ToolDefinition> = none
): ReadonlyArray<ToolDefinition> | InvalidInput => {
  if (!Array.isArray(tools)) {
    return new InvalidInput({
      input: "tools",
      problem: "it is no list",
      hint: "The tools of a toolkit are Object.values(toolkit.tools)"
    })
  }
  const made: Array<ToolDefinition> = []
  for (const [index, tool] of tools.entries()) {
    const definition = known.get(tool) ?? toDefinition(tool, `tools[${index}]`)
    if (definition instanceof InvalidInput) return definition
    if (made.some(({ name }) => name === definition.name)) {
      return new InvalidInput({
        input: `tools[${index}]`,
        problem: `another tool is called '${definition.name}' too`
      })
    }
    known.set(tool, definition)
    made.push(definition)
  }
  return made
}

const toDefinition = (
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

/**
 * What is wrong with a choice among tools; `undefined` when nothing is.
 *
 * @category guards
 * @since 0.1.0
 */
export const checkChoice = (
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
