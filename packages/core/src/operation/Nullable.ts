/**
 * The one bridge between our optional fields and the explicit `null`s of result files.
 *
 * In memory an unknown value is an absent (or undefined) field; the Python library's files write it as `null`, so that
 * every row has the same keys. It is not a general codec: only row schemas use it.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * A field that is optional in memory, always written as a value or `null`, and read from a value, `null` or nothing.
 *
 * @category schemas
 * @since 0.1.0
 */
export const nullable = <T, E>(schema: Schema.Codec<T, E>) =>
  Schema.optionalKey(Schema.NullOr(schema)).pipe(
    Schema.decodeTo(Schema.optional(Schema.toType(schema)), {
      decode: SchemaGetter.transformOptional((value: Option.Option<T | null>) =>
        Option.filter(value, (present): present is T & {} => present !== null)
      ),
      encode: SchemaGetter.transformOptional((value: Option.Option<T | undefined>) =>
        Option.some(Option.getOrUndefined(value) ?? null)
      )
    })
  )
