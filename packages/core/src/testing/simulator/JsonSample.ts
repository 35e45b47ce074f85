/**
 * A JSON value that conforms to a JSON Schema, drawn.
 *
 * It stands for a model under structured outputs. It is not a validator and not complete.
 *
 * **Details**: understood are `type` (also as a list), `enum`, `const`, `anyOf`, `oneOf`, `allOf`, `$ref` within the
 * document, `properties`, `required`, `additionalProperties`, `minProperties`, `items`, `prefixItems`, `minItems`,
 * `maxItems`, `minLength`, `maxLength`, `format`, the bounds of numbers and `multipleOf`.
 *
 * **Gotchas**: `pattern`, `not`, `if` and `uniqueItems` are ignored. A schema that demands endless recursion gives `null`
 * at depth 32.
 *
 * @since 0.1.0
 */
import type { Draw } from "./Draw.ts"
import * as Prose from "./Prose.ts"

type Schema = { readonly [keyword: string]: unknown }

/** From this depth on optional parts are left out and the branch that ends soonest is taken. */
const shallowFrom = 4
const deepest = 32

/**
 * Draws a value for a schema.
 *
 * **Shape**: properties come in the schema's order, as providers give them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sample = (schema: unknown, draw: Draw): unknown => {
  const root = schema
  const visit = (node: unknown, depth: number): unknown => {
    if (depth > deepest || node === false) return null
    if (!isObject(node)) return Prose.words(draw, 2)
    const one = resolve(node, root)
    if ("const" in one) return one["const"]
    if (Array.isArray(one["enum"])) return draw.pick(one["enum"]) ?? null
    const branches = one["anyOf"] ?? one["oneOf"]
    if (Array.isArray(branches) && branches.length > 0) {
      const { anyOf: _any, oneOf: _one, ...base } = one
      const branch = depth >= shallowFrom ? shallowest(branches, root) : draw.pick(branches)
      return visit(isObject(branch) ? merge(base, branch) : branch, depth + 1)
    }
    switch (typeOf(one, draw, depth)) {
      case "null":
        return null
      case "boolean":
        return draw.next() < 0.5
      case "integer":
        return number(one, draw, true)
      case "number":
        return number(one, draw, false)
      case "array":
        return array(one, draw, depth, visit)
      case "object":
        return object(one, draw, depth, visit)
      default:
        return string(one, draw)
    }
  }
  return visit(schema, 0)
}

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Follows `$ref` and folds `allOf` into the schema itself. */
const resolve = (schema: Schema, root: unknown, hops = 0): Schema => {
  const reference = schema["$ref"]
  if (typeof reference === "string" && hops < deepest) {
    const { $ref: _reference, ...rest } = schema
    const target = pointer(root, reference)
    return isObject(target) ? resolve(merge(target, rest), root, hops + 1) : rest
  }
  const parts = schema["allOf"]
  if (!Array.isArray(parts)) return schema
  const { allOf: _parts, ...base } = schema
  return parts
    .filter(isObject)
    .reduce<Schema>((whole, part) => merge(whole, resolve(part, root, hops + 1)), base)
}

const pointer = (root: unknown, reference: string): unknown => {
  let node = root
  for (const step of reference.replace(/^#\/?/, "").split("/")) {
    if (step === "") continue
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~")
    node = isObject(node) || Array.isArray(node) ? (node as Schema)[key] : undefined
  }
  return node
}

const merge = (left: Schema, right: Schema): Schema => {
  const merged: Record<string, unknown> = { ...left, ...right }
  if (isObject(left["properties"]) && isObject(right["properties"])) {
    merged["properties"] = { ...left["properties"], ...right["properties"] }
  }
  if (Array.isArray(left["required"]) && Array.isArray(right["required"])) {
    merged["required"] = [...new Set([...left["required"], ...right["required"]])]
  }
  return merged
}

const scalars = new Set(["null", "boolean", "integer", "number", "string"])

/** The branch that ends soonest: a scalar if there is one, else the first. */
const shallowest = (branches: ReadonlyArray<unknown>, root: unknown): unknown =>
  branches.find((branch) => {
    if (!isObject(branch)) return true
    const one = resolve(branch, root)
    return "const" in one || "enum" in one || scalars.has(String(one["type"]))
  }) ?? branches[0]

const typeOf = (schema: Schema, draw: Draw, depth: number): string => {
  const type = schema["type"]
  if (typeof type === "string") return type
  if (Array.isArray(type) && type.length > 0) {
    const choices = type.map(String)
    const scalar = choices.find((choice) => scalars.has(choice))
    return depth >= shallowFrom && scalar !== undefined ? scalar : (draw.pick(choices) ?? "string")
  }
  if ("properties" in schema || "additionalProperties" in schema) return "object"
  if ("items" in schema || "prefixItems" in schema) return "array"
  if ("minimum" in schema || "maximum" in schema || "multipleOf" in schema) return "number"
  return "string"
}

const amount = (schema: Schema, keyword: string): number | undefined => {
  const value = schema[keyword]
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}

type Visit = (node: unknown, depth: number) => unknown

const object = (schema: Schema, draw: Draw, depth: number, visit: Visit): unknown => {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {}
  const required = Array.isArray(schema["required"]) ? schema["required"].map(String) : []
  const extra = schema["additionalProperties"]
  const value: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(properties)) {
    // The draw comes first, so that what follows does not depend on which properties are required.
    const wanted = draw.next() < 0.5 && depth < shallowFrom
    if (wanted || required.includes(name)) value[name] = visit(property, depth + 1)
  }
  for (const name of required)
    if (!Object.hasOwn(value, name))
      value[name] = visit(
        Object.hasOwn(properties, name) ? properties[name] : (extra ?? true),
        depth + 1
      )
  const least = amount(schema, "minProperties") ?? (isObject(extra) && depth < shallowFrom ? 1 : 0)
  for (let index = 1; Object.keys(value).length < least; index++) {
    value[`${Prose.words(draw, 1)}_${index}`] = visit(extra ?? true, depth + 1)
  }
  return value
}

const array = (schema: Schema, draw: Draw, depth: number, visit: Visit): unknown => {
  const first = Array.isArray(schema["prefixItems"]) ? schema["prefixItems"] : []
  const least = Math.max(first.length, amount(schema, "minItems") ?? 0)
  const free = schema["items"] === false ? first.length : least + (depth < shallowFrom ? 3 : 0)
  const most = Math.max(least, Math.min(amount(schema, "maxItems") ?? free, free))
  const length = draw.between(least, most)
  return Array.from({ length }, (_, index) =>
    visit(first[index] ?? schema["items"] ?? true, depth + 1)
  )
}

const number = (schema: Schema, draw: Draw, whole: boolean): number => {
  const step = amount(schema, "multipleOf") ?? (whole ? 1 : 0)
  const above = amount(schema, "exclusiveMinimum")
  const below = amount(schema, "exclusiveMaximum")
  const high = below ?? amount(schema, "maximum")
  const low =
    above ?? amount(schema, "minimum") ?? (high === undefined ? 0 : Math.min(0, high - 100))
  const top = high ?? low + 100
  if (step === 0) {
    // A quarter of the range away from both ends keeps exclusive bounds out without asking for them.
    const exact = low + (top - low) * (0.25 + draw.next() / 2)
    const rounded = Math.round(exact * 100) / 100
    return rounded > low && rounded < top ? rounded : exact
  }
  const least = Math.ceil(low / step) + (above !== undefined && low % step === 0 ? 1 : 0)
  const most = Math.floor(top / step) - (below !== undefined && top % step === 0 ? 1 : 0)
  return Number((draw.between(least, Math.max(least, most)) * step).toPrecision(15))
}

const string = (schema: Schema, draw: Draw): string => {
  const format = schema["format"]
  const formatted = typeof format === "string" ? formats.get(format)?.(draw) : undefined
  if (formatted !== undefined) return formatted
  const least = amount(schema, "minLength") ?? 0
  const most = amount(schema, "maxLength") ?? Number.POSITIVE_INFINITY
  let text = Prose.words(draw, draw.between(1, 5))
  while (text.length < least) text += ` ${Prose.words(draw, 3)}`
  // A cut may end in a space, which would be trimmed by some readers and then be too short.
  return text.length > most ? text.slice(0, most).replace(/ $/, "x") : text
}

const digits = (draw: Draw, count: number, base = 10): string => {
  let text = ""
  for (let index = 0; index < count; index++) text += Math.floor(draw.next() * base).toString(base)
  return text
}
const two = (value: number): string => String(value).padStart(2, "0")
const date = (draw: Draw): string =>
  `${draw.between(2000, 2029)}-${two(draw.between(1, 12))}-${two(draw.between(1, 28))}`
const time = (draw: Draw): string =>
  `${two(draw.between(0, 23))}:${two(draw.between(0, 59))}:${two(draw.between(0, 59))}Z`
const word = (draw: Draw): string => Prose.words(draw, 1)

/** The formats OpenAI's structured outputs support, and `uri`. */
const formats = new Map<string, (draw: Draw) => string>(
  Object.entries({
    date,
    time,
    "date-time": (draw) => `${date(draw)}T${time(draw)}`,
    duration: (draw) => `PT${draw.between(1, 90)}M`,
    email: (draw) => `${word(draw)}.${digits(draw, 3)}@example.com`,
    hostname: (draw) => `${word(draw)}.example.com`,
    ipv4: (draw) => `192.0.2.${draw.between(0, 255)}`,
    ipv6: (draw) => `2001:db8::${digits(draw, 4, 16)}`,
    uuid: (draw) =>
      `${digits(draw, 8, 16)}-${digits(draw, 4, 16)}-4${digits(draw, 3, 16)}-a${digits(draw, 3, 16)}-${digits(draw, 12, 16)}`,
    uri: (draw) => `https://example.com/${word(draw)}/${digits(draw, 4)}`
  })
)
