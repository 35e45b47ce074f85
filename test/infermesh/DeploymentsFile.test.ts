import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import * as DeploymentsFile from "infermesh/DeploymentsFile"

const read = (text: string, defaultModel?: string, path = "d.toml") =>
  DeploymentsFile.read(path, text, defaultModel).pipe(
    Effect.provideService(
      ConfigProvider.ConfigProvider,
      ConfigProvider.fromEnvRecord({ THE_KEY: "sesame" })
    )
  )

const problem = (text: string) => Effect.map(Effect.flip(read(text)), (error) => error.message)

describe("read", () => {
  it.effect(
    "takes keys in snake_case and camelCase, and leaves the provider's own fields alone",
    () =>
      Effect.gen(function* () {
        const { deployments } = yield* read(
          `
        [deployments.gpu-0]
        model = "hosted_vllm/m"
        api_base = "http://gpu0:8000/v1"
        api_key_env = "THE_KEY"
        weight = 2
        limits = { rpm = 100, max_request_burst = 10 }
        extra_body = { top_k = 5 }
        models = ["fast"]
        tags = ["eu"]
        quota_keys = ["team"]
        header_scope = "day"
        max_parallel_requests = { adaptive = { max = 64 } }
        price = { input = 1, output = 2, cached_input = 0.5 }
        headers = { x_team = "a" }
        [deployments.gpu-1]
        apiBase = "http://gpu1:8000/v1"
        limits = { tpm = 5, maxTokenBurst = 5 }
      `,
          "hosted_vllm/default"
        )
        const { apiKey, ...first } = deployments["gpu-0"] ?? assert.fail("no gpu-0")
        assert.strictEqual(Redacted.value(apiKey ?? assert.fail("no key")), "sesame")
        assert.deepStrictEqual(first, {
          model: "hosted_vllm/m",
          apiBase: "http://gpu0:8000/v1",
          weight: 2,
          limits: { rpm: 100, maxRequestBurst: 10 },
          extraBody: { top_k: 5 },
          models: ["fast"],
          tags: ["eu"],
          quotaKeys: ["team"],
          headerScope: "day",
          maxParallelRequests: { adaptive: { max: 64 } },
          price: { input: 1, output: 2, cachedInput: 0.5 },
          headers: { x_team: "a" }
        })
        assert.deepStrictEqual(deployments["gpu-1"], {
          model: "hosted_vllm/default",
          apiBase: "http://gpu1:8000/v1",
          limits: { tpm: 5, maxTokenBurst: 5 }
        })
      })
  )

  it.effect("takes what is about all deployments beside them, names as they are written", () =>
    Effect.gen(function* () {
      const { deployments, ...others } = yield* read(`
        model = "fast_model"
        [deployments.one]
        model = "hosted_vllm/m"
        models = ["fast_model"]
        quota_keys = ["team_key"]
        max_parallel_requests = 8
        [deployments.two]
        model = "hosted_vllm/n"
        [quotas.team_key]
        rpm = 500
        max_request_burst = 20
        audio_seconds_per_day = 3600
        [aliases]
        the_best = "fast_model"
        [fallbacks]
        fast_model = ["hosted_vllm/n"]
        [context_window_fallbacks]
        fast_model = ["hosted_vllm/n"]
      `)
      assert.deepStrictEqual(Object.keys(deployments), ["one", "two"])
      assert.deepStrictEqual(others, {
        model: "fast_model",
        quotas: { team_key: { rpm: 500, maxRequestBurst: 20, audioSecondsPerDay: 3600 } },
        aliases: { the_best: "fast_model" },
        fallbacks: { fast_model: ["hosted_vllm/n"] },
        contextWindowFallbacks: { fast_model: ["hosted_vllm/n"] }
      })
    })
  )

  it.effect("reads the same of JSON and YAML, by the ending of the name", () =>
    Effect.gen(function* () {
      const toml = yield* read(
        '[deployments.a]\nmodel = "m/m"\nlimits = { max_request_burst = 2, rpm = 5 }\n[aliases]\nx = "m/m"'
      )
      const json =
        '{"deployments":{"a":{"model":"m/m","limits":{"max_request_burst":2,"rpm":5}}},"aliases":{"x":"m/m"}}'
      const yaml =
        "deployments:\n  a:\n    model: m/m\n    limits:\n      max_request_burst: 2\n      rpm: 5\naliases:\n  x: m/m\n"
      assert.deepStrictEqual(yield* read(`\uFEFF${json}`, undefined, "d.JSON"), toml)
      for (const path of ["d.yaml", "d.yml"]) {
        assert.deepStrictEqual(yield* read(yaml, undefined, path), toml)
      }
      const wrong: ReadonlyArray<readonly [path: string, text: string, message: RegExp]> = [
        ["d.json", "{", /^d\.json: it is no JSON: /],
        ["d.json", "[]", /^d\.json: it is no table/],
        ["d.yml", "deployments: [", /^d\.yml: it is no YAML: /],
        [
          "d.yml",
          "deployments:\n  a:\n    api_key: sk-1234\n",
          /^d\.yml: deployments\.a\.api_key: a key/
        ]
      ]
      for (const [path, text, message] of wrong) {
        const error = yield* Effect.flip(read(text, undefined, path))
        assert.match(error.message, message)
        assert.notInclude(error.message, "sk-1234")
      }
    })
  )

  it.effect("refuses keys in the file by their place, without showing them", () =>
    Effect.gen(function* () {
      const places: ReadonlyArray<readonly [string, string]> = [
        ['[deployments.a]\nmodel = "m/m"\napi_key = "sk-1234"', "deployments.a.api_key"],
        ['[deployments.a.extra_body]\nApiKey = "sk-1234"', "deployments.a.extra_body.ApiKey"],
        [
          '[deployments.a.headers]\nAuthorization = "sk-1234"',
          "deployments.a.headers.Authorization"
        ],
        ['[deployments.a.headers]\nx-api-key = "sk-1234"', "deployments.a.headers.x-api-key"],
        [
          '[[deployments.a.extra_body.list]]\ntoken = "sk-1234"',
          "deployments.a.extra_body.list.0.token"
        ]
      ]
      for (const [text, place] of places) {
        const message = yield* problem(text)
        assert.include(message, `d.toml: ${place}: a key must not stand in this file`)
        assert.include(message, "--env-file")
        assert.notInclude(message, "sk-1234")
      }
    })
  )

  it.effect("names the file and the place of whatever else is wrong", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [string, RegExp]> = [
        ["deployments = ", /^d\.toml: it is no TOML: /],
        ['model = "m/m"', /^d\.toml: there is no table \[deployments\.LABEL\]/],
        ["[deployments.a]\nweight = 1", /^d\.toml: deployments\.a\.model: /],
        ['[deployments.a]\nmodel = "m/m"\n[quotas.k]\nrpm = 0', /^d\.toml: quotas\.k\.rpm: 0 is/],
        ['[deployments.a]\nmodel = "m/m"\n[fallbacks]\na = "b"', /^d\.toml: fallbacks\.a: /],
        ['[deployments.a]\nmodel = "m/m"\n[quota.k]\nrpm = 1', /^d\.toml: quota: /],
        [
          '[deployments.a]\nmodel = "m/m"\nmax_parallel_requests = { adaptive = { min = 0 } }',
          /^d\.toml: deployments\.a\.maxParallelRequests\.adaptive\.min: 0 is/
        ],
        [
          '[deployments.a]\nmodel = "m/m"\nheader_scope = "hour"',
          /^d\.toml: deployments\.a\.headerScope: /
        ],
        ['[deployments.a]\nmodel = "m/m"\nrpm = 5', /^d\.toml: deployments\.a\.rpm: /],
        [
          '[deployments.a]\nmodel = "m/m"\nlimits = { rpm = 0 }',
          /^d\.toml: deployments\.a\.limits\.rpm: /
        ],
        [
          '[deployments.a]\nmodel = "m/m"\napi_key_env = "NOPE"',
          /api_key_env: the variable NOPE is not set/
        ],
        [
          '[deployments.a]\nmodel = "m/m"\napi_key_env = 7',
          /api_key_env: it is not the name of an environment/
        ]
      ]
      for (const [text, message] of cases) assert.match(yield* problem(text), message)
    })
  )
})
