import { readdirSync } from "node:fs"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as Registry from "@infermesh/core/provider/Providers"
import type { Dialect } from "@infermesh/providers/openai/Dialect"
import { openai } from "@infermesh/providers/openai/OpenAi"
import * as Providers from "@infermesh/providers/Providers"
import * as Vendors from "@infermesh/providers/vendor/Vendors"
import { Effect, Layer } from "effect"
import { HttpClient } from "effect/http"

import { fakeHttp } from "../FakeHttp.ts"

const http = Layer.succeed(HttpClient.HttpClient, fakeHttp(() => new Response()).client)

const folder = join(import.meta.dirname, "../../../packages/providers/src/vendor")

const modules = readdirSync(folder).filter((file) => file !== "Vendors.ts")

describe("vendor files", () => {
  it.effect("are all listed, each with a dialect and a Layer of that name", () =>
    Effect.gen(function* () {
      const listed = new Set<Dialect>(Vendors.all)
      for (const file of modules) {
        const module: Record<string, unknown> = yield* Effect.promise(
          () => import(`@infermesh/providers/vendor/${file.replace(/\.ts$/, "")}`)
        )
        const { layer, ...dialects } = module
        const [dialect] = Object.values(dialects) as ReadonlyArray<Dialect>
        assert(dialect !== undefined, `${file} has a dialect`)
        assert.isTrue(listed.has(dialect), `${file} is listed`)
        const registry = yield* Effect.provide(Registry.Providers, layer as typeof Providers.layer)
        assert.deepStrictEqual(registry.names, [dialect.name])
      }
      assert.strictEqual(Vendors.all.length, modules.length)
    }).pipe(Effect.provide(http))
  )

  it("say where the vendor is, with a key for whoever needs one, and name nothing twice", () => {
    const names = Vendors.all.flatMap(({ aliases = [], name }) => [name, ...aliases])
    assert.strictEqual(new Set(names).size, names.length)
    for (const { apiBase, keyOptional, keyVariables, name } of Vendors.all) {
      assert.match(name, /^[a-z_]+$/)
      assert.isAbove(keyVariables.length, 0, name)
      if (apiBase === undefined) continue
      assert.match(apiBase, keyOptional === true ? /^http:\/\/localhost:\d+\/v1$/ : /^https:\/\//)
    }
  })
})

describe("the registry of all", () => {
  const hint = (name: string) =>
    Effect.map(Registry.Providers, (registry) => Registry.hint(registry, name))

  it.effect("has every provider by its prefix", () =>
    Effect.gen(function* () {
      const { names } = yield* Registry.Providers
      const dialects = [openai, ...Vendors.all].map(({ name }) => name)
      assert.sameMembers([...names], [...dialects, "anthropic", "gemini"])
    }).pipe(Effect.provide(Layer.provide(Providers.layer, http)))
  )

  it.effect("answers a near miss with the one that was meant, and anything else with all", () =>
    Effect.gen(function* () {
      const meant = {
        vllm: "hosted_vllm",
        google: "gemini",
        vertex_ai: "gemini",
        claude: "anthropic",
        OpenAI: "openai",
        openai_compatible: "hosted_vllm",
        azure_openai: "azure",
        grok: "xai",
        "x-ai": "xai",
        together_ai: "together",
        fireworks_ai: "fireworks",
        nvidia: "nvidia_nim",
        hf: "huggingface",
        mistralai: "mistral",
        "llama.cpp": "llamacpp",
        "lm-studio": "lmstudio",
        ollama_chat: "ollama"
      }
      for (const [given, name] of Object.entries(meant)) {
        const known = `Did you mean '${name}'? Known providers: anthropic, azure, `
        assert.isTrue((yield* hint(given)).startsWith(known), given)
      }
      assert.match(yield* hint("nope"), /^Known providers: anthropic, .*, xai$/)
      assert.match(yield* hint("a"), /^Known providers/)
    }).pipe(Effect.provide(Layer.provide(Providers.layer, http)))
  )
})
