/**
 * A setting that may be absent and is an object or a list.
 *
 * `Schema.optional` also lets `undefined` stand for the absent value. In a `Config`, whose nodes are texts, objects or lists, an
 * object is no text and so passes for `undefined`: one with a mistake in it would be dropped without a word. Here `undefined`
 * is for code alone.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * A setting that may be absent, or `undefined` in code.
 *
 * @category schemas
 * @since 0.1.0
 */
export const optionalSetting = <T, E>(schema: Schema.Codec<T, E>) =>
  Schema.optionalKey(schema).pipe(
    Schema.decodeTo(Schema.optional(Schema.toType(schema)), {
      decode: SchemaGetter.passthrough(),
      encode: SchemaGetter.transformOptional((value: Option.Option<T | undefined>) =>
        Option.filter(value, (given): given is T & {} => given !== undefined)
      )
    })
  )
