/**
 * From the form a caller wants an answer in to what a provider is told and how the answer is read.
 *
 * An Effect Schema is told in the strict form that providers enforce, a plain JSON Schema as it is; both are made once per
 * schema, because making them costs more than a whole request. How a provider is told (a schema it enforces, any JSON object,
 * a tool), it chooses itself, by what it can.
 *
 * It repairs nothing: a code fence around the JSON is tolerated, because models put it there; anything else that does not fit
 * is a `StructuredOutputError`.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

import type { OutputShape } from "../operation/Generate.ts"
import * as JsonSchemaOutput from "./JsonSchemaOutput.ts"
import * as OutputName from "./OutputName.ts"
import * as SchemaOutput from "./SchemaOutput.ts"

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
  /**
   * What can be read of an answer still being written, not yet decoded and in the form it is written in; `undefined` when
   * nothing can.
   */
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

const fromSchema = (schema: Schema.Codec<unknown, unknown>): Format => {
  try {
    return Effect.succeed(SchemaOutput.format(schema))
  } catch (cause) {
    return Effect.fail(
      new AiError.UnsupportedSchemaError({
        description:
          cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ") : "it has no JSON Schema"
      })
    )
  }
}

/**
 * An `output` option for the same form under another name at the provider, if it is one that providers accept.
 *
 * @category combinators
 * @since 0.1.0
 */
export const named = (output: Output<unknown>, name: string): JsonSchemaObject => {
  const alias: JsonSchemaObject = {}
  const renamed = Effect.map(format(output), (made) => ({
    ...made,
    name: OutputName.of(name, made.name)
  }))
  known.set(alias, Effect.runSync(Effect.cached(renamed)))
  return alias
}
