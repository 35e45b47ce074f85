/**
 * Structured output by a plain JSON Schema: sent as it is, and the answer checked against it.
 *
 * For users who have a schema and no types; the value is `unknown` to TypeScript and has been validated. The validator is
 * loaded when the first such schema is used.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Effect from "effect/Effect"

import type { OutputShape } from "../operation/Generate.ts"
import * as PartialJson from "./PartialJson.ts"

type JsonObject = { readonly [key: string]: unknown }

/** What OpenAI accepts as the name of a format. */
export const allowedName = /^[a-zA-Z0-9_-]{1,64}$/

/** The name of a format that has none of its own. */
export const defaultName = "output"

interface Check {
  (value: unknown): boolean
  readonly errors?: ReadonlyArray<{
    readonly instancePath: string
    readonly message?: string
  }> | null
}

/**
 * The format for a plain JSON Schema, or for one in OpenAI's wrapper (`{ type: "json_schema", json_schema: … }`);
 * `{ type: "json_object" }` asks for any object.
 *
 * @category constructors
 * @since 0.1.0
 */
export const format = Effect.fnUntraced(function* (output: JsonObject) {
  const { name, schema, strict } = unwrap(output)
  const check = yield* compile(schema)
  const shape: OutputShape = { name, jsonSchema: schema, strict }
  return {
    ...shape,
    partial: PartialJson.parse,
    decode: (text: string): Effect.Effect<unknown, AiError.StructuredOutputError> =>
      Effect.suspend(() => {
        let value: unknown
        try {
          value = JSON.parse(unfence(text))
        } catch {
          return Effect.fail(misfit("", "it is no JSON", text))
        }
        if (check(value)) return Effect.succeed(value)
        const error = check.errors?.[0]
        return Effect.fail(
          misfit(
            error?.instancePath ?? "",
            error?.message ?? "it does not fit the JSON Schema",
            text
          )
        )
      })
  }
})

const unwrap = (output: JsonObject): { name: string; schema: JsonObject; strict: boolean } => {
  const title =
    typeof output["title"] === "string" && allowedName.test(output["title"])
      ? output["title"]
      : defaultName
  if (output["type"] === "json_object")
    return { name: defaultName, schema: { type: "object" }, strict: false }
  const inner = output["json_schema"]
  if (output["type"] !== "json_schema" || typeof inner !== "object" || inner === null) {
    return { name: title, schema: output, strict: false }
  }
  const { name, schema, strict } = inner as {
    name?: unknown
    schema?: JsonObject
    strict?: boolean
  }
  return {
    name: typeof name === "string" && allowedName.test(name) ? name : defaultName,
    schema: schema ?? { type: "object" },
    strict: strict ?? false
  }
}

const compile = (schema: JsonObject): Effect.Effect<Check, AiError.UnsupportedSchemaError> =>
  Effect.tryPromise({
    try: async () => {
      // Its check would return a promise, and a promise for `false` counts as true.
      if (schema["$async"] === true) throw new Error("$async schemas are not supported")
      const isDraft07 =
        typeof schema["$schema"] === "string" && schema["$schema"].includes("draft-07")
      const { default: module } = isDraft07 ? await import("ajv") : await import("ajv/dist/2020.js")
      const validator = new module.default({
        strict: false,
        validateFormats: false,
        allErrors: false
      })
      return validator.compile(schema) as Check
    },
    catch: (cause) =>
      new AiError.UnsupportedSchemaError({
        description: `it is no valid JSON Schema: ${cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ") : "unknown"}`
      })
  })

/** The failure of an answer that does not fit. */
export const misfit = (
  path: string,
  problem: string,
  text: string
): AiError.StructuredOutputError =>
  new AiError.StructuredOutputError({
    description:
      `${path === "" ? "the answer" : `at ${path.replace(/^\./, "")}`}: ${problem}`.replaceAll(
        /\s+/g,
        " "
      ),
    responseText: text
  })

const fence = /^```[a-zA-Z]*\s*\n([\s\S]*?)\n?```$/

/** The text inside one outer Markdown code fence, without a byte-order mark and surrounding white space. */
export const unfence = (text: string): string => {
  const bare = text.replace(/^\uFEFF/, "").trim()
  return fence.exec(bare)?.[1] ?? bare
}
