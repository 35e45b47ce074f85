import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import type { Choice } from "@infermesh/core/operation/Generate"
import * as Usage from "@infermesh/core/operation/Usage"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Fiber, Schema } from "effect"
import { AiError, Prompt } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"

const Answer = Schema.Struct({ n: Schema.Int, list: Schema.Array(Schema.Int) })
const good = '{"n":1,"list":[]}'
const bad = '{"n":"one","list":[2.5]}'

const usage = (promptTokens: number, completionTokens: number) =>
  Usage.make({ promptTokens, completionTokens })

const asked = TestProvider.TestProvider.use(({ asked: all }) => all)

/** Answers in this order, then as at last. */
const answering = (
  replies: ReadonlyArray<TestProvider.Reply>,
  settings: Parameters<typeof TestClient.layer>[0] = {}
) => TestClient.layer(settings, { reply: ({ index }) => replies[index] ?? replies.at(-1) ?? "" })

const generate = (options: Partial<Inference.GenerateOptions<never>> = {}) =>
  Inference.generate("x", { output: Answer, maxRepairs: 1, ...options })

const roles = ({ request }: TestProvider.Asked) => request.prompt.content.map(({ role }) => role)

describe("repair", () => {
  it.effect("gives the answer back with what is wrong, and takes the one that fits", () =>
    Effect.gen(function* () {
      const result = yield* generate()
      assert.deepStrictEqual(result.outputParsed, { n: 1, list: [] })
      const [, second] = yield* asked
      assert.deepStrictEqual(second && roles(second), ["user", "assistant", "user"])
      const said = second?.request.prompt.content[1]
      assert.strictEqual(
        said?.role === "assistant" && said.content[0]?.type === "text" ? said.content[0].text : "",
        bad
      )
      assert.include(second?.text, "at n: ")
      assert.include(second?.text, "at list[0]: Expected an integer")
      assert.deepStrictEqual(second?.request.output?.name, "output")
    }).pipe(Effect.provide(answering([bad, good])))
  )

  it.effect("is counted and paid for visibly: usage, cost and times are those of all answers", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(generate({ maxRepairs: 2 }))
      yield* TestClock.adjust("1 minute")
      const { cost, metrics, tokenUsage } = yield* Fiber.join(fiber)
      assert.deepStrictEqual(tokenUsage, Usage.sum(usage(30, 3), usage(30, 3)))
      // The model costs 1 USD per million tokens of input and 2 of output.
      assert.strictEqual(cost, (60 + 2 * 6) / 1_000_000)
      assert.deepStrictEqual([metrics.repairs, metrics.retries], [2, 1])
      assert.strictEqual(Duration.toSeconds(metrics.serviceTime), 8)
      assert.strictEqual(
        Duration.toMillis(metrics.endToEnd),
        Duration.toMillis(Duration.sum(metrics.queueWait, metrics.serviceTime))
      )
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            latency: "2 seconds",
            reply: ({ index }) =>
              [
                { text: bad, usage: usage(10, 1) },
                TestProvider.unavailable(),
                { text: "no JSON", usage: usage(20, 2) },
                { text: good, usage: usage(30, 3) }
              ][index] ?? ""
          }
        )
      )
    )
  )

  it.effect("has no usage and no cost where those of one answer are unknown", () =>
    Effect.gen(function* () {
      const { cost, tokenUsage } = yield* generate()
      assert.deepStrictEqual([cost, tokenUsage], [undefined, undefined])
    }).pipe(Effect.provide(answering([{ text: bad, usage: undefined }, good])))
  )

  it.effect("ends after as many as allowed, with the last answer and all that was paid", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(generate({ maxRepairs: 2 }))
      assert.strictEqual(error.reason._tag, "StructuredOutputError")
      assert.match(error.message, /^generate failed after 3 attempts: The answer does not fit/)
      assert.deepStrictEqual([error.attempts, error.metrics?.repairs], [3, 2])
      assert.strictEqual(error.result?.outputText, "{}")
      assert.deepStrictEqual(error.result?.tokenUsage, Usage.sum(usage(20, 2), usage(10, 1)))
      assert.deepStrictEqual((yield* asked).map(roles).at(-1), [
        "user",
        "assistant",
        "user",
        "assistant",
        "user"
      ])
    }).pipe(
      Effect.provide(
        answering([
          { text: bad, usage: usage(10, 1) },
          { text: "{}", usage: usage(10, 1) }
        ])
      )
    )
  )

  it.effect("asks once by default", () =>
    Effect.gen(function* () {
      yield* Effect.flip(Inference.generate("x", { output: Answer }))
      assert.strictEqual((yield* asked).length, 1)
    }).pipe(Effect.provide(answering([bad])))
  )

  it.effect("can be a client's default, which does not count where nothing can be repaired", () =>
    Effect.gen(function* () {
      yield* Inference.generate("x", { output: Answer })
      yield* Effect.flip(Inference.generate("x", { output: Answer, n: 2 }))
      assert.strictEqual((yield* asked).length, 3)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          { defaults: { maxRepairs: 1 } },
          { reply: ({ index }) => (index === 1 ? good : bad) }
        )
      )
    )
  )

  const hopeless: ReadonlyArray<readonly [string, TestProvider.Reply]> = [
    ["cut off at its token limit", { text: '{"n":', finishReason: "length" }],
    [
      "about to call a tool",
      { text: bad, toolCalls: [{ id: "1", name: "f" }], finishReason: "tool-calls" }
    ],
    ["refused", { text: "", refusal: "no" }],
    ["filtered", { text: '{"n":', finishReason: "content-filter" }]
  ]
  for (const [what, reply] of hopeless) {
    it.effect(`gives back no answer that was ${what}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(generate())
        assert.deepStrictEqual([error.attempts, error.metrics?.repairs], [1, 0])
        assert.isDefined(error.result)
      }).pipe(Effect.provide(answering([reply])))
    )
  }

  it.effect("fails with the reason of the repair, and keeps the answer that was paid for", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(generate())
      assert.strictEqual(error.reason._tag, "AuthenticationError")
      assert.deepStrictEqual([error.attempts, error.result?.outputText], [2, bad])
    }).pipe(
      Effect.provide(
        answering([bad, TestProvider.fail(new AiError.AuthenticationError({ kind: "InvalidKey" }))])
      )
    )
  )

  it.effect("has the time that the first answer left of the deadline", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(
        Effect.flip(generate({ maxRepairs: 5, deadline: "25 seconds" }))
      )
      yield* TestClock.adjust("25 seconds")
      const error = yield* Fiber.join(fiber)
      assert.match(error.message, /deadline of 25 s \(last attempt: The answer does not fit/)
      assert.deepStrictEqual([error.attempts, error.result?.outputText], [3, bad])
      assert.strictEqual(Duration.toSeconds(error.metrics?.endToEnd ?? 0), 25)
    }).pipe(Effect.provide(TestClient.layer({}, { latency: "10 seconds", reply: () => bad })))
  )

  it.effect("gives the parts back that the provider needs, and no message without any", () =>
    Effect.gen(function* () {
      yield* generate({ maxRepairs: 2 })
      const [, second, third] = yield* asked
      assert.deepStrictEqual(second && roles(second), ["user", "user"])
      const said = third?.request.prompt.content.find(({ role }) => role === "assistant")
      assert.deepStrictEqual(said?.content, signed.content)
    }).pipe(
      Effect.provide(
        answering([
          "",
          {
            choices: [
              { text: bad, toolCalls: [], finishReason: "stop", content: signed.content }
            ] satisfies readonly [Choice]
          },
          good
        ])
      )
    )
  )

  it.effect("of a Responses input adds to its items", () =>
    Effect.gen(function* () {
      const input = { input: "x", previous_response_id: "r" }
      yield* Inference.generate(input, { output: Answer, maxRepairs: 1, endpoint: "responses" })
      const sent = (yield* asked)[1]?.request.responsesInput
      assert.strictEqual(sent?.["previous_response_id"], "r")
      const items = sent?.input as ReadonlyArray<{ role: string; content: string }>
      assert.deepStrictEqual(
        items.map(({ role }) => role),
        ["user", "assistant", "user"]
      )
      assert.include(items[2]?.content, "at n: ")
    }).pipe(Effect.provide(answering([bad, good])))
  )

  it.effect("is made for each input of a batch", () =>
    Effect.gen(function* () {
      const batch = yield* Inference.generateBatch(["a", "b"], { output: Answer, maxRepairs: 1 })
      assert.deepStrictEqual(
        batch.successes.map(([, { metrics }]) => metrics.repairs),
        [1, 1]
      )
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          { reply: ({ request }) => (request.prompt.content.length === 1 ? bad : good) }
        )
      )
    )
  )
})

const signed = Prompt.makeMessage("assistant", {
  content: [
    Prompt.makePart("reasoning", { text: "hm", options: { anthropic: { signature: "s" } } }),
    Prompt.makePart("text", { text: bad })
  ]
})
