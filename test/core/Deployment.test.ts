import { assert, describe, it } from "@effect/vitest"
import * as Deployment from "@infermesh/core/Deployment"
import { firstIssue } from "@infermesh/core/operation/Issue"
import { Config, ConfigProvider, Effect, Result, Schema } from "effect"

const decode = Schema.decodeUnknownResult(Schema.toType(Deployment.DeploymentSettings), {
  onExcessProperty: "error"
})

describe("DeploymentSettings", () => {
  it("name what is wrong with them, and where", () => {
    const cases: ReadonlyArray<readonly [settings: object, path: string, problem: RegExp]> = [
      [
        { maxParallelRequests: 0 },
        ".maxParallelRequests",
        /^0 is not a whole number of at least 1/
      ],
      [{ maxParallelRequests: "8" }, ".maxParallelRequests", /a number such as 32 or \{ adaptive/],
      [
        { maxParallelRequests: { adaptive: { min: 5, max: 2 } } },
        ".maxParallelRequests.adaptive.min",
        /^5 is above max, which is 2$/
      ],
      [
        { maxParallelRequests: { adaptive: { initial: 1, min: 2 } } },
        ".maxParallelRequests.adaptive.initial",
        /^1 is below min, which is 2$/
      ],
      [
        { maxParallelRequests: { adaptive: { initial: 9, max: 8 } } },
        ".maxParallelRequests.adaptive.initial",
        /^9 is above max, which is 8$/
      ],
      [{ tags: ["eu", "eu"] }, ".tags[1]", /^'eu' is in the list twice; name it once$/],
      [{ models: ["fast", ""] }, ".models[1]", /length of at least 1/],
      [{ quotaKeys: "team" }, ".quotaKeys", /^Expected array/],
      [
        { price: { input: -1, output: 1 } },
        ".price.input",
        /^-1 is no price; write USD per million/
      ],
      [{ price: { input: 1 } }, ".price.output", /^Missing key$/],
      [{ weight: 0 }, ".weight", /greater than 0/],
      [{ limits: { rpm: 0 } }, ".limits.rpm", /^0 is not a whole number/],
      [{ tag: ["eu"] }, ".tag", /excess/]
    ]
    for (const [settings, path, problem] of cases) {
      const result = decode({ model: "openai/m", ...settings })
      const issue = firstIssue(
        Result.isFailure(result) ? result.failure.issue : assert.fail(JSON.stringify(settings))
      )
      assert.strictEqual(issue.path, path)
      assert.match(issue.problem, problem)
    }
  })

  it.effect("are read from the environment, too", () =>
    Effect.gen(function* () {
      const settings = yield* Config.schema(
        Schema.Struct({
          model: Deployment.DeploymentSettings.fields.model,
          tags: Deployment.DeploymentSettings.fields.tags,
          price: Deployment.DeploymentSettings.fields.price
        })
      )
      assert.deepStrictEqual(settings, {
        model: "openai/m",
        tags: ["eu", "batch"],
        price: { input: 0.4, output: 1.6 }
      })
    }).pipe(
      Effect.provideService(
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromEnvRecord({
          model: "openai/m",
          tags_0: "eu",
          tags_1: "batch",
          price_input: "0.4",
          price_output: "1.6"
        })
      )
    )
  )
})

describe("make", () => {
  it.effect("fills in what is left out", () =>
    Effect.gen(function* () {
      const { limits, maxParallelRequests, models, price, quotaKeys, tags, weight } =
        yield* Deployment.make({ model: "openai/m" })
      assert.deepStrictEqual(
        { limits, maxParallelRequests, models, price, quotaKeys, tags, weight },
        {
          limits: {},
          maxParallelRequests: undefined,
          models: [],
          price: undefined,
          quotaKeys: [],
          tags: [],
          weight: 1
        }
      )
    })
  )

  it.effect("keeps what is given", () =>
    Effect.gen(function* () {
      const given = {
        models: ["fast"],
        tags: ["eu"],
        limits: { rpm: 5 },
        quotaKeys: ["team"],
        maxParallelRequests: { adaptive: { max: 64 } },
        weight: 3,
        price: { input: 1, output: 2 }
      }
      const deployment = yield* Deployment.make({ model: "hosted_vllm/org/m", ...given }, "gpu-0")
      assert.deepInclude(deployment, { id: "gpu-0", provider: "hosted_vllm", ...given })
      assert.strictEqual(deployment.target.model, "org/m")
    })
  )
})
