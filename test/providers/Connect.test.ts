import { assert, describe, it } from "@effect/vitest"
import * as Connect from "@infermesh/providers/Connect"
import { ConfigProvider, Effect, Redacted } from "effect"

import { target } from "./FakeHttp.ts"

const vendor: Connect.Vendor = {
  name: "v",
  apiBase: "https://v.example/v1",
  keyVariables: ["V_KEY", "V_OLD_KEY"]
}

const access = (
  settings: Parameters<typeof target>[0],
  variables: Record<string, string> = {},
  more: Partial<Connect.Vendor> = {}
) =>
  Connect.access({ ...vendor, ...more }, target({ apiKey: undefined, ...settings })).pipe(
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnvRecord(variables)))
  )

const refused = (...asked: Parameters<typeof access>) =>
  Effect.map(Effect.flip(access(...asked)), ({ message }) => message)

describe("access", () => {
  it.effect("keeps the query of a base URL, and puts it behind every path", () =>
    Effect.gen(function* () {
      const found = yield* access({ apiBase: "https://r.example/openai/v1/?api-version=preview" })
      assert.strictEqual(
        Connect.address(found, "/chat/completions"),
        "https://r.example/openai/v1/chat/completions?api-version=preview"
      )
      assert.strictEqual(
        Connect.address(found, "/models/m:stream?alt=sse"),
        "https://r.example/openai/v1/models/m:stream?api-version=preview&alt=sse"
      )
      const plain = yield* access({ apiBase: "https://r.example" })
      assert.strictEqual(Connect.address(plain, "/a"), "https://r.example/a")
      assert.strictEqual(Connect.address(plain, "/a?alt=sse"), "https://r.example/a?alt=sse")
    })
  )

  it.effect("finds the key in the settings, else in the first variable that is set", () =>
    Effect.gen(function* () {
      const key = (found: Connect.Access) => found.key && Redacted.value(found.key)
      const variables = { V_KEY: "a", V_OLD_KEY: "b" }
      assert.strictEqual(key(yield* access({}, variables)), "a")
      assert.strictEqual(key(yield* access({}, { V_OLD_KEY: "b" })), "b")
      assert.strictEqual(key(yield* access({ apiKey: Redacted.make("c") }, variables)), "c")
    })
  )

  it.effect(
    "asks for a key at the vendor's own endpoint only, and not at servers on this machine",
    () =>
      Effect.gen(function* () {
        assert.strictEqual(
          yield* refused({}),
          "apiKey: there is no key for v. Set V_KEY or V_OLD_KEY in the environment"
        )
        assert.isUndefined((yield* access({ apiBase: "http://localhost:1/v1" })).key)
        assert.isUndefined((yield* access({}, {}, { keyOptional: true })).key)
      })
  )

  it.effect("says what a base URL looks like where it needs one", () =>
    Effect.gen(function* () {
      const own = { apiBase: undefined, apiBaseExample: "https://RESOURCE.v.example/v1" }
      assert.strictEqual(
        yield* refused({}, {}, own),
        "apiBase: v has no base URL of its own. Give yours, such as https://RESOURCE.v.example/v1"
      )
      assert.strictEqual(
        yield* refused({ apiBase: "localhost:8000" }),
        "apiBase: 'localhost:8000' is no http or https URL. Write it in full, such as https://v.example/v1"
      )
    })
  )
})
