import { readFileSync } from "node:fs"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import type { EndpointType, GenerateRequest } from "@infermesh/core/operation/Generate"
import { TranscriptFormat } from "@infermesh/core/operation/Transcribe"
import type { AttemptError, Connection, Target } from "@infermesh/core/provider/Provider"
import * as Registry from "@infermesh/core/provider/Providers"
import type { SettingsError } from "@infermesh/core/SettingsError"
import { openai } from "@infermesh/providers/openai/OpenAi"
import * as Providers from "@infermesh/providers/Providers"
import * as Vendors from "@infermesh/providers/vendor/Vendors"
import { ConfigProvider, Effect, Layer, Stream } from "effect"
import { HttpClient } from "effect/http"

import { fakeHttp, target } from "../providers/FakeHttp.ts"
import { request } from "../providers/Request.ts"

const page = readFileSync(join(import.meta.dirname, "../../docs/providers.md"), "utf8")

/** The cells of the rows of the table with this heading, whatever spaces they are aligned with. */
const cells = (line: string) =>
  line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim())

const told = page
  .split("\n")
  .filter((line) => /^\| `[a-z_]+\//.test(line))
  .map(cells)

const { client, sent } = fakeHttp(() => new Response("{}", { status: 500 }))

const dialects = new Map([openai, ...Vendors.all].map((dialect) => [dialect.name, dialect]))

const models: { readonly [name: string]: string } = {
  anthropic: "claude-sonnet-4-5",
  gemini: "gemini-2.5-flash"
}

const output = {
  name: "answer",
  strict: true,
  jsonSchema: { type: "object", properties: {}, required: [], additionalProperties: false }
}
const tools = [{ name: "t", description: "", parameters: output.jsonSchema }]

/** What is sent for a request, or undefined where it is refused. */
const bodyOf = Effect.fnUntraced(function* (ask: Effect.Effect<unknown, AttemptError>) {
  const before = sent.length
  const { reason } = yield* Effect.flip(ask)
  if (reason._tag === "Unsupported") return undefined
  assert.strictEqual(sent.length, before + 1)
  return JSON.stringify(sent.at(-1)?.body) ?? ""
})

const endpoints: ReadonlyArray<readonly [type: EndpointType, word: string]> = [
  ["chat_completion", "chat"],
  ["text_completion", "text"],
  ["responses", "responses"]
]

const formats = TranscriptFormat.literals

const generation = Effect.fnUntraced(function* ({ generate, generateStream }: Connection) {
  assert(generate !== undefined && generateStream !== undefined)
  const ask = (more: Partial<GenerateRequest>) => bodyOf(generate(request(more)))
  const words: Array<string> = []
  for (const [endpoint, word] of endpoints) {
    const whole = yield* ask({ endpoint })
    const streamed = yield* bodyOf(Stream.runDrain(generateStream(request({ endpoint }))))
    assert.strictEqual(streamed === undefined, whole === undefined, "what generates streams")
    if (whole !== undefined) words.push(word)
  }
  const shaped = (yield* ask({ output })) ?? ""
  const form = /"json_object"/.test(shaped)
    ? "some JSON"
    : /"json_schema"|"responseJsonSchema"|"responseSchema"/.test(shaped)
      ? "schema"
      : "—"
  return [
    words.join(", ") || "—",
    words.length === 0 ? "—" : form,
    (yield* ask({ tools })) === undefined ? "—" : "yes"
  ]
})

const transcription = Effect.fnUntraced(function* ({ transcribe }: Connection) {
  if (transcribe === undefined) return "—"
  const audio = {
    bytes: Stream.make(new Uint8Array(1)),
    sizeBytes: 1,
    fileName: "a.wav",
    mediaType: "audio/wav"
  }
  const known: Array<string> = []
  for (const responseFormat of formats) {
    const { reason } = yield* Effect.flip(transcribe({ audio, options: { responseFormat } }))
    if (reason._tag !== "Unsupported") known.push(responseFormat)
  }
  return known.length === formats.length ? "all forms" : known.map((one) => `\`${one}\``).join(", ")
})

type Connect = (settings: Partial<Target>) => Effect.Effect<Connection, SettingsError>

/** Where requests go, and the names of the key, as the page tells them. */
const place = Effect.fnUntraced(function* (name: string, connect: Connect) {
  const dialect = dialects.get(name)
  if (dialect !== undefined) {
    const { apiBase, keyOptional, keyVariables } = dialect
    const key = keyVariables.map((one) => `\`${one}\``).join(" or ")
    return [
      apiBase === undefined ? "yours" : `\`${apiBase}\``,
      keyOptional === true || apiBase === undefined ? `${key}, if any` : key
    ]
  }
  const { hint } = yield* Effect.flip(connect({ apiKey: undefined }))
  const names = /Set (.*) in the environment/.exec(hint ?? "")?.[1] ?? ""
  const { generate } = yield* connect({})
  yield* Effect.flip(generate?.(request()) ?? Effect.die("it generates"))
  const base = sent.at(-1)?.url.replace(/\/(?:messages|models\/.*)$/, "")
  return [
    `\`${base}\``,
    names
      .split(" or ")
      .map((one) => `\`${one}\``)
      .join(" or ")
  ]
})

describe("docs/providers.md", () => {
  it.effect("has a row for every provider, with what it really does", () =>
    Effect.gen(function* () {
      const registry = yield* Registry.Providers
      const rows: Array<ReadonlyArray<string>> = []
      for (const name of registry.names) {
        const provider = registry.get(name)
        assert(provider !== undefined)
        const model = models[name] ?? "m"
        const connect: Connect = (settings) => provider.connect(target({ model, ...settings }))
        const connection = yield* connect(
          dialects.get(name)?.apiBase === undefined && dialects.has(name)
            ? { apiBase: "http://own.example/v1" }
            : {}
        )
        const { embed, embedLimits } = connection
        const embeds =
          embedLimits === undefined ? "yes" : `${embedLimits.texts.toLocaleString("en")} texts`
        rows.push([
          `\`${name}/…\``,
          ...(yield* place(name, connect)),
          ...(yield* generation(connection)),
          embed === undefined ? "—" : embeds,
          yield* transcription(connection)
        ])
      }
      const table = rows.map((row) => `| ${row.join(" | ")} |`).join("\n")
      assert.deepStrictEqual(told, rows, `the table should be\n${table}`)
    }).pipe(
      Effect.provide([
        Layer.provide(Providers.layer, Layer.succeed(HttpClient.HttpClient, client)),
        // No key is set, whatever the shell has.
        ConfigProvider.layer(ConfigProvider.fromUnknown({}))
      ])
    )
  )
})
