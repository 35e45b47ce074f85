/**
 * Takes the nulls out of an answer that stand for fields which are not there.
 *
 * Models write `null` for what they do not know, also where a schema only allows the field to be left out. It is about such
 * fields and nothing else: a required field, a field that may be null and a member of a record keep their nulls.
 *
 * @since 0.1.0
 */

type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/**
 * The value without such nulls; the same value where it has none.
 *
 * **Details**: it looks where the JSON Schema says for certain what a value is, and so not into unions of several forms.
 *
 * @category conversions
 * @since 0.1.0
 */
export const withoutNulls = (value: unknown, schema: Json): unknown =>
  visit(value, schema, isObject(schema["$defs"]) ? schema["$defs"] : {})

const visit = (value: unknown, schema: unknown, definitions: Json): unknown => {
  const one = only(schema, definitions)
  if (one === undefined) return value
  if (Array.isArray(value)) {
    const first = Array.isArray(one["prefixItems"]) ? one["prefixItems"] : []
    return changed(value, (item, index) => visit(item, first[index] ?? one["items"], definitions))
  }
  if (!isObject(value)) return value
  const properties = isObject(one["properties"]) ? one["properties"] : {}
  const required = Array.isArray(one["required"]) ? one["required"] : []
  const kept: Array<readonly [string, unknown]> = []
  let same = true
  for (const [key, field] of Object.entries(value)) {
    const known = Object.hasOwn(properties, key)
    if (field === null && known && !required.includes(key) && !allowsNull(properties[key])) {
      same = false
      continue
    }
    const inner = visit(field, known ? properties[key] : one["additionalProperties"], definitions)
    kept.push([key, inner])
    same &&= inner === field
  }
  // Not by assignment: a field may be called __proto__.
  return same ? value : Object.fromEntries(kept)
}

const changed = (
  items: ReadonlyArray<unknown>,
  change: (item: unknown, index: number) => unknown
): ReadonlyArray<unknown> => {
  const results = items.map(change)
  return results.every((item, index) => item === items[index]) ? items : results
}

/** The one form that a schema has beside null, behind its references. */
const only = (schema: unknown, definitions: Json, hops = 0): Json | undefined => {
  if (!isObject(schema)) return undefined
  const { $ref: reference, anyOf } = schema
  if (typeof reference === "string" && hops < 32) {
    return only(definitions[reference.replace(/^#\/\$defs\//, "")], definitions, hops + 1)
  }
  if (!Array.isArray(anyOf)) return schema
  const forms = anyOf.filter((form) => !isNull(form))
  return forms.length === 1 ? only(forms[0], definitions, hops + 1) : undefined
}

const isNull = (schema: unknown): boolean => isObject(schema) && schema["type"] === "null"

/** A schema that does not say what it is may be anything, and so null. */
const allowsNull = (schema: unknown): boolean => {
  if (!isObject(schema)) return true
  const { $ref: reference, anyOf, type } = schema
  if (Array.isArray(anyOf)) return anyOf.some(allowsNull)
  return type === undefined ? reference === undefined : type === "null"
}
