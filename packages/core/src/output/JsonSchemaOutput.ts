/**
 * Structured output by a plain JSON Schema: sent as it is, and the answer checked against it.
 *
 * For users who have a schema and no types; the value is `unknown` to TypeScript and has been validated. The validator is
 * loaded when the first such schema is used.
 *
 * **Details**: a root that is no object travels as the one field `value` of one, because providers want an object there; the
 * answer is read in and out of it.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

import type { OutputShape } from "../operation/Generate.ts"
import * as Box from "./Box.ts"
import * as JsonText from "./JsonText.ts"
import * as OutputName from "./OutputName.ts"
import * as PartialJson from "./PartialJson.ts"
import * as StrictRules from "./StrictRules.ts"

type JsonObject = { readonly [key: string]: unknown }

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
 * **Errors**: `UnsupportedSchemaError` for what is no JSON Schema, and for a wrapper's `strict: true` around a schema that
 * strict mode refuses.
 *
 * @category constructors
 * @since 0.1.0
 */
export const format = Effect.fnUntraced(function* (output: JsonObject) {
  const { name, schema, strict } = unwrap(output)
  const check = yield* compile(schema)
  const isBoxed = !isObjectSchema(schema)
  const jsonSchema = isBoxed ? Box.schema(schema) : schema
  const rule = strict ? StrictRules.broken(jsonSchema) : undefined
  if (rule !== undefined) {
    return yield* new AiError.UnsupportedSchemaError({
      description: `it is marked strict, and strict mode refuses it: ${rule}. Mend it, or leave 'strict' out`
    })
  }
  const shape: OutputShape = { name, jsonSchema, strict, plainSchema: jsonSchema }
  return {
    ...shape,
    partial: isBoxed ? Box.partial : PartialJson.parse,
    decode: (text: string): Effect.Effect<unknown, AiError.StructuredOutputError> => {
      const parsed = JsonText.parse(text)
      if (Result.isFailure(parsed)) return Effect.fail(parsed.failure)
      const value = parsed.success
      if (isBoxed && Box.isBox(value) && check(value.value)) return Effect.succeed(value.value)
      return check(value)
        ? Effect.succeed(value)
        : Effect.fail(JsonText.misfit((check.errors ?? []).map(fault), text))
    }
  }
})

const fault = ({ instancePath, message }: NonNullable<Check["errors"]>[number]) => ({
  path: instancePath,
  problem: message ?? "it does not fit the JSON Schema"
})

const isObjectSchema = (schema: JsonObject): boolean =>
  schema["type"] === "object" ||
  // Its root is elsewhere, or it leaves the type to what it says of fields.
  (schema["type"] === undefined &&
    ["$ref", "properties", "additionalProperties", "patternProperties"].some(
      (keyword) => schema[keyword] !== undefined
    ))

const unwrap = (output: JsonObject): { name: string; schema: JsonObject; strict: boolean } => {
  if (output["type"] === "json_object")
    return { name: OutputName.of(), schema: { type: "object" }, strict: false }
  const inner = output["json_schema"]
  if (output["type"] !== "json_schema" || typeof inner !== "object" || inner === null) {
    return { name: OutputName.of(output["title"]), schema: output, strict: false }
  }
  const { name, schema, strict } = inner as {
    name?: unknown
    schema?: JsonObject
    strict?: boolean
  }
  return {
    name: OutputName.of(name),
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
        // A model that is told all that is wrong can mend it at once.
        allErrors: true
      })
      return validator.compile(schema) as Check
    },
    catch: (cause) =>
      new AiError.UnsupportedSchemaError({
        description: `it is no valid JSON Schema: ${cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ") : "unknown"}`
      })
  })
