/**
 * From the form a caller wants an answer in to what a provider is told and how the answer is read.
 *
 * An Effect Schema becomes the strict JSON Schema that providers enforce, by `effect/ai`'s own rewriting, and the codec that
 * reads such answers; a plain JSON Schema is sent as it is and checked by a validator. Both are made once per schema: making
 * them costs more than a whole request.
 *
 * It repairs nothing: a code fence around the JSON is tolerated, because models put it there; anything else that does not fit
 * is a `StructuredOutputError`.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as OpenAiStructuredOutput from "effect/ai/OpenAiStructuredOutput"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"

import type { OutputShape } from "../operation/Generate.ts"
import { firstIssue } from "../operation/Issue.ts"
import * as JsonSchemaOutput from "./JsonSchemaOutput.ts"
import * as PartialJson from "./PartialJson.ts"

/**
 * A plain JSON Schema, or one in the wrapper that OpenAI's API takes.
 *
 * @category models
 * @since 0.1.0
 */
export type JsonSchemaObject = { readonly [key: string]: unknown }

/**
 * What an answer shall look like.
 *
 * @category models
 * @since 0.1.0
 */
export type Output<A> = Schema.Codec<A, unknown> | JsonSchemaObject

/**
 * The form of an answer: what the provider is told, and how the text is read.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutputFormat<A> extends OutputShape {
  readonly decode: (text: string) => Effect.Effect<A, AiError.StructuredOutputError>
  /** What can be read of an answer still being written, not yet decoded; `undefined` when nothing can. */
  readonly partial: (text: string) => unknown
}

/** Formats already made, by the identity of their schema. */
const known = new WeakMap<object, Format>()

type Format = Effect.Effect<OutputFormat<unknown>, AiError.UnsupportedSchemaError>

/**
 * The format for an `output` option; fails when no provider can be told this form.
 *
 * @category constructors
 * @since 0.1.0
 */
export const format = <A>(
  output: Output<A>
): Effect.Effect<OutputFormat<A>, AiError.UnsupportedSchemaError> => {
  const made: Format = known.get(output) ?? make(output)
  known.set(output, made)
  // What is kept under a schema decodes to the schema's own type.
  return made as Effect.Effect<OutputFormat<A>, AiError.UnsupportedSchemaError>
}

const make = (output: Output<unknown>): Format =>
  Schema.isSchema(output)
    ? fromSchema(output)
    : Effect.runSync(Effect.cached(JsonSchemaOutput.format(output)))

const fromSchema = <A>(
  schema: Schema.Codec<A, unknown>
): Effect.Effect<OutputFormat<A>, AiError.UnsupportedSchemaError> => {
  try {
    return Effect.succeed(directOrWrapped(schema))
  } catch (cause) {
    return Effect.fail(
      new AiError.UnsupportedSchemaError({
        description:
          cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ") : "it has no JSON Schema"
      })
    )
  }
}

/** Only the rewriting knows what becomes of a root: a record, an object in TypeScript, becomes a list of pairs. */
const directOrWrapped = <A>(schema: Schema.Codec<A, unknown>): OutputFormat<A> => {
  try {
    return direct(schema, schema, (value) => value)
  } catch {
    return wrapped(schema)
  }
}

/** Strict mode wants an object at the root: anything else travels as the one field of one. */
const wrapped = <A>(schema: Schema.Codec<A, unknown>): OutputFormat<A> => ({
  ...direct(
    Schema.Struct({ value: schema }) as Schema.Codec<{ readonly value: A }, unknown>,
    schema,
    ({ value }) => value
  ),
  partial: (text) => (PartialJson.parse(text) as { readonly value?: unknown } | undefined)?.value
})

const direct = <A, B>(
  schema: Schema.Codec<B, unknown>,
  named: Schema.Codec<unknown, unknown>,
  unwrap: (value: B) => A
): OutputFormat<A> => {
  const { codec, jsonSchema } = OpenAiStructuredOutput.toCodecOpenAI(schema)
  const read = Schema.decodeEffect(Schema.fromJsonString(codec as Schema.Codec<B, unknown>))
  return {
    name: nameOf(named),
    jsonSchema,
    strict: true,
    partial: PartialJson.parse,
    decode: (text) =>
      Effect.matchEffect(read(unfence(text)), {
        onSuccess: (value) => Effect.succeed(unwrap(value)),
        onFailure: ({ issue }) => {
          const problem = formatIssue(issue).issues[0]?.message ?? "not what was expected"
          return Effect.fail(misfit(firstIssue(issue).path, problem, text))
        }
      })
  }
}

/** The rewriting for strict mode takes the words from these two checks, and the message would be `Expected <filter>`. */
const formatIssue = SchemaIssue.makeFormatterStandardSchemaV1({
  checkHook: (issue) =>
    SchemaIssue.defaultCheckHook(issue) ??
    numberChecks.get(issue.filter.annotations?.representation?.id ?? "")
})

const numberChecks = new Map([
  ["effect/schema/isInt", "Expected an integer"],
  ["effect/schema/isFinite", "Expected a finite number"]
])

/**
 * The failure of an answer that does not fit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const misfit = JsonSchemaOutput.misfit

/**
 * The text inside one outer Markdown code fence, without a byte-order mark and surrounding white space.
 *
 * @category getters
 * @since 0.1.0
 */
export const unfence = JsonSchemaOutput.unfence

const nameOf = (schema: Schema.Codec<unknown, unknown>): string => {
  const { ast } = schema
  for (const name of [SchemaAST.resolveIdentifier(ast), SchemaAST.resolveTitle(ast)]) {
    if (name !== undefined && JsonSchemaOutput.allowedName.test(name)) return name
  }
  return JsonSchemaOutput.defaultName
}
