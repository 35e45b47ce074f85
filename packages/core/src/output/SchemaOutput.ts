/**
 * Structured output by an Effect Schema: what providers are told of it, and the answer decoded to its type.
 *
 * There are two forms of the same value. Providers that enforce schemas are told the strict one, by `effect/ai`'s own
 * rewriting: optional fields are there and null, records are lists of pairs, tuples objects. Endpoints that do not enforce
 * give the plain one, as JSON is usually written. Answers of both forms are read, the strict form first; a schema that strict
 * mode refuses (it allows any value somewhere, or is too large) is told in its plain form.
 *
 * @since 0.1.0
 */
import type * as AiError from "effect/ai/AiError"
import type * as LanguageModel from "effect/ai/LanguageModel"
import * as OpenAiStructuredOutput from "effect/ai/OpenAiStructuredOutput"
import * as Effect from "effect/Effect"
import type * as JsonSchema from "effect/JsonSchema"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"

import type { OutputShape } from "../operation/Generate.ts"
import { faults } from "../operation/Issue.ts"
import { withoutNulls } from "./AbsentField.ts"
import * as Box from "./Box.ts"
import * as JsonText from "./JsonText.ts"
import * as OutputName from "./OutputName.ts"
import * as PartialJson from "./PartialJson.ts"
import * as StrictRules from "./StrictRules.ts"

/** One way to read the JSON of an answer; `undefined` where it is not of this form at all. */
type Reader<A> = (value: unknown) => Effect.Effect<A, Schema.SchemaError> | undefined

/**
 * A Schema in all its forms.
 *
 * @category models
 * @since 0.1.0
 */
export interface SchemaOutput<A> extends OutputShape {
  readonly decode: (text: string) => Effect.Effect<A, AiError.StructuredOutputError>
  readonly partial: (text: string) => unknown
  /** The value of an answer that is already parsed; fails with what is wrong in the form that came nearest. */
  readonly read: (value: unknown) => Effect.Effect<A, Schema.SchemaError>
}

/** By the identity of the Schema: making them costs more than a whole request. */
const known = new WeakMap<object, SchemaOutput<unknown>>()

/**
 * The forms of a Schema, made once.
 *
 * **Errors**: throws what `effect` throws for a Schema that has no JSON form.
 *
 * @category constructors
 * @since 0.1.0
 */
export const format = <A>(schema: Schema.Codec<A, unknown>): SchemaOutput<A> => {
  const made = known.get(schema) ?? make(schema)
  known.set(schema, made)
  // What is kept under a schema decodes to the schema's own type.
  return made as SchemaOutput<A>
}

const make = <A>(schema: Schema.Codec<A, unknown>): SchemaOutput<A> => {
  const boxed = Schema.Struct({ value: schema }) as Schema.Codec<Box.Box<A>, unknown>
  const direct = strictForm(schema)
  const inBox = direct === undefined ? strictForm(boxed) : undefined
  const plain = plainForm(schema)
  const isObject = plain.jsonSchema["type"] === "object"
  const plainSchema = isObject ? plain.jsonSchema : plainForm(boxed).jsonSchema
  const isBoxed = inBox !== undefined || (direct === undefined && !isObject)
  const readPlain = lenient(plain)
  const readers: ReadonlyArray<Reader<A>> = [
    ...(direct === undefined ? [] : [reader(direct.codec)]),
    ...(inBox === undefined ? [] : [opened(reader(inBox.codec))]),
    ...(isBoxed ? [whereBoxed(readPlain)] : []),
    readPlain
  ]
  const strict = direct ?? inBox
  const read = (value: unknown) => firstOf(readers, value, undefined)
  return {
    name: nameOf(schema),
    jsonSchema: strict?.jsonSchema ?? plainSchema,
    strict: strict !== undefined,
    plainSchema,
    partial: isBoxed ? Box.partial : PartialJson.parse,
    read,
    decode: (text) => {
      const value = JsonText.parse(text)
      return Result.isFailure(value)
        ? Effect.fail(value.failure)
        : Effect.mapError(read(value.success), ({ issue }) => JsonText.misfit(faults(issue), text))
    }
  }
}

/** By the identity of the Schema, too. */
const codecs = new WeakMap<object, ReturnType<LanguageModel.CodecTransformer>>()

/**
 * The codec that reads both forms, for `effect/ai`, which reads answers itself, and asks for the codec each time.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toCodec: LanguageModel.CodecTransformer = <T, E, RD, RE>(
  schema: Schema.ConstraintCodec<T, E, RD, RE>
) => {
  const made = codecs.get(schema) ?? makeCodec(schema as Schema.Codec<unknown, unknown>)
  codecs.set(schema, made)
  // What is kept under a schema decodes to the schema's own type.
  return made as unknown as ReturnType<typeof toCodec<T, E, RD, RE>>
}

const makeCodec = (schema: Schema.Codec<unknown, unknown>) => {
  const { jsonSchema, read } = format(schema)
  const codec = Schema.Unknown.pipe(
    Schema.decodeTo(Schema.toType(schema), {
      decode: SchemaGetter.transformEffect((value: unknown) =>
        Effect.mapError(read(value), ({ issue }) => issue)
      ),
      encode: SchemaGetter.forbidden(() => "Answers are read, not written")
    })
  )
  return { codec, jsonSchema } as ReturnType<LanguageModel.CodecTransformer>
}

interface Form<A> {
  readonly codec: Schema.Codec<A, unknown>
  readonly jsonSchema: JsonSchema.JsonSchema
}

/** The form that providers enforce; `undefined` where they would refuse it. */
const strictForm = <A>(schema: Schema.Codec<A, unknown>): Form<A> | undefined => {
  try {
    const { codec, jsonSchema } = OpenAiStructuredOutput.toCodecOpenAI(schema)
    return StrictRules.broken(jsonSchema) === undefined
      ? { codec: codec as Schema.Codec<A, unknown>, jsonSchema }
      : undefined
  } catch {
    // Only the rewriting knows what becomes of a root: a record, an object in TypeScript, becomes a list of pairs.
    return undefined
  }
}

const plainForm = <A>(schema: Schema.Codec<A, unknown>): Form<A> => {
  const codec = Schema.toCodecJson(schema)
  const document = Schema.toJsonSchemaDocument(codec, {
    generateDescriptions: true,
    onExcessProperty: "error"
  })
  const reference = document.schema.$ref
  const root =
    typeof reference === "string"
      ? (document.definitions[reference.replace(/^#\/\$defs\//, "")] ?? document.schema)
      : document.schema
  const jsonSchema =
    Object.keys(document.definitions).length === 0 ? root : { ...root, $defs: document.definitions }
  return { codec, jsonSchema }
}

/** All that is wrong is asked for, because a model can mend several things at once. */
const reader = <A>(codec: Schema.Codec<A, unknown>): Reader<A> =>
  Schema.decodeUnknownEffect(codec, { errors: "all" })

const lenient = <A>({ codec, jsonSchema }: Form<A>): Reader<A> => {
  const read = reader(codec)
  return (value) => read(withoutNulls(value, jsonSchema))
}

const opened =
  <A>(read: Reader<Box.Box<A>>): Reader<A> =>
  (value) => {
    const boxed = read(value)
    return boxed === undefined ? undefined : Effect.map(boxed, (one) => one.value)
  }

const whereBoxed =
  <A>(read: Reader<A>): Reader<A> =>
  (value) =>
    Box.isBox(value) ? read(value.value) : undefined

/** The first reading that succeeds, or the failure of the one that came nearest. */
const firstOf = <A>(
  [read, ...others]: ReadonlyArray<Reader<A>>,
  value: unknown,
  nearest: Schema.SchemaError | undefined
): Effect.Effect<A, Schema.SchemaError> => {
  const attempt = read?.(value)
  if (attempt === undefined) return firstOf(others, value, nearest)
  return Effect.catch(attempt, (error) => {
    const best = nearest === undefined || isNearer(error, nearest) ? error : nearest
    return others.length === 0 ? Effect.fail(best) : firstOf(others, value, best)
  })
}

/** Fewer faults, and of as many those that lie deeper inside: the outermost of a wrong form is wrong at once. */
const isNearer = (error: Schema.SchemaError, nearest: Schema.SchemaError): boolean => {
  const [found, before] = [faults(error.issue), faults(nearest.issue)]
  return found.length === before.length
    ? found[0].depth > before[0].depth
    : found.length < before.length
}

const nameOf = (schema: Schema.Codec<unknown, unknown>): string => {
  const { ast } = schema
  return OutputName.of(SchemaAST.resolveIdentifier(ast), SchemaAST.resolveTitle(ast))
}
