import { assert, describe, it } from "@effect/vitest"
import * as ExactTokenEstimate from "@infermesh/core/admission/ExactTokenEstimate"
import type { TokenEstimateRequest } from "@infermesh/core/admission/TokenEstimate"
import * as TokenEstimate from "@infermesh/core/admission/TokenEstimate"
import * as Usage from "@infermesh/core/operation/Usage"
import { Effect } from "effect"
import * as fc from "fast-check"
import { encode } from "gpt-tokenizer/encoding/o200k_base"

const request = (text: string, more: Partial<TokenEstimateRequest> = {}): TokenEstimateRequest => ({
  model: "m",
  texts: [text],
  messageCount: 1,
  maxOutputTokens: 0,
  choices: 1,
  ...more
})

const estimate = (service: TokenEstimate.TokenEstimate["Service"], asked: TokenEstimateRequest) =>
  Effect.runSync(Effect.map(service.estimate(asked), ({ input, output }) => input + output))

describe("the arithmetic estimate", () => {
  it("counts UTF-8 bytes as an encoder does, lone surrogates included", () => {
    const encoder = new TextEncoder()
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.strictEqual(TokenEstimate.byteLength(text), encoder.encode(text).length)
      })
    )
    assert.strictEqual(TokenEstimate.byteLength("\uD800x"), 4)
  })

  it("learns a model's tokens per byte from what responses report, each model for itself", () => {
    const service = TokenEstimate.make()
    const text = "x".repeat(1000)
    assert.strictEqual(estimate(service, request(text)), 254)
    for (let index = 0; index < 60; index++) {
      service.learn(request(text), Usage.make({ promptTokens: 504, completionTokens: 0 }))
    }
    assert.approximately(estimate(service, request(text)), 504, 10)
    assert.strictEqual(estimate(service, request(text, { model: "other" })), 254)
  })

  it("reserves the whole maximum for each answer, and without one what answers have been like", () => {
    const service = TokenEstimate.make()
    const prompt = estimate(service, request("abcd"))
    assert.strictEqual(
      estimate(service, request("abcd", { maxOutputTokens: 50, choices: 3 })),
      prompt + 150
    )
    for (let index = 0; index < 200; index++) {
      service.learn(request("abcd"), Usage.make({ promptTokens: 5, completionTokens: 100 }))
    }
    const learned = estimate(service, request("abcd", { maxOutputTokens: undefined })) - prompt
    assert.isAtLeast(learned, 100)
    assert.isAtMost(learned, 130)
  })

  it("is not thrown off by one odd report, or by reports that say nothing", () => {
    const service = TokenEstimate.make()
    const text = "x".repeat(4000)
    for (const promptTokens of [3000, 0, Number.NaN, Number.POSITIVE_INFINITY]) {
      service.learn(request("hi"), Usage.make({ promptTokens, completionTokens: 1 }))
    }
    assert.isAtMost(estimate(service, request(text)), 8010)
    for (let index = 0; index < 200; index++) {
      service.learn(request(text), Usage.make({ promptTokens: 1004, completionTokens: 1 }))
    }
    assert.approximately(estimate(service, request(text)), 1004, 20)
  })

  it("is a whole number above zero for every text and every report", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.nat(1e6),
        fc.nat(1e6),
        (text, promptTokens, completionTokens) => {
          const service = TokenEstimate.make()
          for (const asked of [request(text), request("", { maxOutputTokens: undefined })]) {
            service.learn(asked, Usage.make({ promptTokens, completionTokens }))
            const tokens = estimate(service, asked)
            assert.isTrue(Number.isSafeInteger(tokens) && tokens >= 0, String(tokens))
          }
        }
      )
    )
  })
})

describe("the exact estimate", () => {
  it.effect("counts as the tokenizer does, special tokens as text, long texts in pieces", () =>
    Effect.gen(function* () {
      const service = yield* TokenEstimate.TokenEstimate
      const exact = (text: string) =>
        encode(text, { disallowedSpecial: new Set() }).length + TokenEstimate.tokensPerMessage
      for (const text of ["hello world", "stop <|endoftext|> here", "ünïcödé 漢字 🙂"]) {
        assert.strictEqual((yield* service.estimate(request(text))).input, exact(text))
      }
      const long =
        "All happy families are alike; each unhappy family is unhappy in its own way. ".repeat(400)
      assert.approximately((yield* service.estimate(request(long))).input, exact(long), 10)
    }).pipe(Effect.provide(ExactTokenEstimate.layer))
  )
})
