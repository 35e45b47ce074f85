/**
 * Fields of a request body that only the provider knows, sent as they are.
 *
 * In code and in files they are an object. Where settings hold nothing but text, as in the environment, they are the text of a
 * JSON object: `{"top_k":5}`.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"

const Fields = Schema.Record(Schema.String, Schema.Json)
type Fields = typeof Fields.Type

/**
 * Fields of a request body that only the provider knows.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ExtraBody = Schema.declare<Fields>(Schema.is(Fields), {
  expected: "an object of JSON values",
  toCodecJson: () => Schema.link<Fields>()(Fields, SchemaTransformation.passthrough()),
  toCodecStringTree: () =>
    Schema.link<Fields>()(
      Schema.String.annotate({ expected: "the text of a JSON object" }),
      SchemaTransformation.fromJsonString() as unknown as SchemaTransformation.Transformation<
        Fields,
        string
      >
    )
})
