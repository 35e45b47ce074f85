import { assert, describe, it } from "@effect/vitest"
import * as Caller from "@infermesh/core/admission/Caller"
import * as Inference from "@infermesh/core/Inference"
import * as Usage from "@infermesh/core/operation/Usage"
import { CaptureContent } from "@infermesh/core/telemetry/Content"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Effect, Exit, Fiber, Option, Schema, Stream, Tracer } from "effect"
import { AiError } from "effect/ai"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"
import { meanwhile } from "./Registry.ts"
import { attributesOf, eventsOf, failureOf, make, spanOf, spansOf, textOf } from "./TestTracer.ts"

describe("the span of a request", () => {
  it.effect("has the name, kind and attributes of the conventions, and ours", () =>
    Effect.gen(function* () {
      const options = { temperature: 0.5, topP: 0.9, maxTokens: 50, n: 2, seed: 7, stop: "END" }
      const span = yield* spanOf(
        meanwhile(Inference.generate("x", options).pipe(Caller.as({ name: "chat" })))
      )
      assert.strictEqual(span.name, "chat model")
      assert.strictEqual(span.kind, "client")
      assert.deepStrictEqual(attributesOf(span), {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "test",
        "gen_ai.request.model": "model",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.seed": 7,
        "gen_ai.request.choice.count": 2,
        "gen_ai.response.model": "model-0425",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.reasoning.output_tokens": 4,
        "infermesh.deployment": "test/model",
        "infermesh.caller": "chat",
        "infermesh.request.attempts": 1,
        "infermesh.request.service_time": 2,
        "infermesh.request.cost": 120 / 1e6,
        "infermesh.request.id": "request-1"
      })
      assert.deepStrictEqual(eventsOf(span), [
        {
          name: "infermesh.attempt",
          attributes: {
            "infermesh.deployment": "test/model",
            "infermesh.attempt.outcome": "answered",
            "infermesh.attempt.number": 1,
            "infermesh.attempt.wait": 0,
            "infermesh.attempt.duration": 2
          }
        }
      ])
      assert.strictEqual(span.status._tag === "Ended" && Exit.isSuccess(span.status.exit), true)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            latency: "2 seconds",
            reply: () => ({
              text: "answer",
              modelId: "model-0425",
              requestId: "request-1",
              usage: Usage.make({
                promptTokens: 100,
                completionTokens: 10,
                cachedTokens: 40,
                reasoningTokens: 4
              })
            })
          }
        )
      )
    )
  )

  it.effect("is named after its operation", () =>
    Effect.gen(function* () {
      const spans = yield* spansOf(
        Effect.all([
          Inference.generate("x", { endpoint: "text_completion" }),
          Inference.embed("x"),
          Inference.transcribe(Uint8Array.of(1), { fileName: "a.wav" }),
          Stream.runDrain(Inference.generateStream("x"))
        ])
      )
      assert.deepStrictEqual(
        spans.map(({ name }) => name),
        ["text_completion model", "embeddings model", "transcription model", "chat model"]
      )
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          { embed: {}, transcribe: () => "words", stream: () => ({ steps: ["a"] }) }
        )
      )
    )
  )

  it.effect("of a stream has the time to its first part, and ends when the stream does", () =>
    Effect.gen(function* () {
      const span = yield* spanOf(meanwhile(Stream.runDrain(Inference.generateStream("x"))))
      assert.deepInclude(attributesOf(span), {
        "gen_ai.request.stream": true,
        "gen_ai.response.time_to_first_chunk": 3
      })
      assert.strictEqual(
        span.status._tag === "Ended" && span.status.endTime - span.status.startTime,
        10_000_000_000n
      )
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          { stream: () => ({ steps: [{ pause: "3 seconds" }, "a", { pause: "7 seconds" }, "b"] }) }
        )
      )
    )
  )

  it.effect(
    "has every attempt and retry as an event, with its wait and the status it failed with",
    () =>
      Effect.gen(function* () {
        const span = yield* spanOf(meanwhile(Inference.generate("x")))
        const events = eventsOf(span)
        assert.deepStrictEqual(
          events.map(({ name }) => name),
          ["infermesh.attempt", "infermesh.retry", "infermesh.attempt"]
        )
        assert.deepStrictEqual(events[0]?.attributes, {
          "infermesh.deployment": "test/model",
          "infermesh.attempt.outcome": "failed",
          "error.type": "InternalProviderError",
          "infermesh.attempt.number": 1,
          "infermesh.attempt.wait": 0,
          "infermesh.attempt.duration": 0,
          "http.response.status_code": 503
        })
        const wait = events[1]?.attributes["infermesh.attempt.wait"]
        assert.isAbove(Number(wait), 0.4)
        assert.deepStrictEqual(events[1]?.attributes, {
          "infermesh.deployment": "test/model",
          "error.type": "InternalProviderError",
          "infermesh.attempt.wait": wait
        })
        assert.deepInclude(events[2]?.attributes, {
          "infermesh.attempt.outcome": "answered",
          "infermesh.attempt.number": 2,
          "infermesh.attempt.wait": wait
        })
        assert.isUndefined(attributesOf(span)["error.type"])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            {
              reply: ({ index }) =>
                index === 0
                  ? TestProvider.fail(
                      new AiError.InternalProviderError({
                        description: "overloaded",
                        http: { response: { status: 503, headers: {} } }
                      })
                    )
                  : "answer"
            }
          )
        )
      )
  )

  it.effect("tells for each attempt its own wait, not the waits before it", () =>
    Effect.gen(function* () {
      const span = yield* spanOf(meanwhile(Inference.generate("x")))
      const waits = eventsOf(span)
        .filter(({ name }) => name === "infermesh.attempt")
        .map(({ attributes }) => Number(attributes["infermesh.attempt.wait"]))
      assert.strictEqual(waits.length, 4)
      for (const [index, wait] of waits.slice(1).entries()) {
        // From half of the doubled wait to the whole of it.
        assert.isAtLeast(wait, 0.5 * 2 ** index)
        assert.isAtMost(wait, 2 ** index + 0.001)
      }
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            latency: "1 minute",
            reply: ({ index }) => (index < 3 ? TestProvider.unavailable() : "answer")
          }
        )
      )
    )
  )

  it.effect("has a hedge as an event, and what became of both attempts", () =>
    Effect.gen(function* () {
      yield* meanwhile(Inference.generateBatch(Array.from({ length: 64 }, () => "usual")))
      const span = yield* spanOf(meanwhile(Inference.generate("slow")))
      assert.deepStrictEqual(
        eventsOf(span).map(({ attributes, name }) => [
          name,
          attributes["infermesh.attempt.outcome"]
        ]),
        [
          ["infermesh.hedge", undefined],
          ["infermesh.attempt", "answered"],
          ["infermesh.attempt", "interrupted"]
        ]
      )
      assert.strictEqual(attributesOf(span)["infermesh.request.hedges"], 1)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {
            deployments: { a: { model: "test/a" }, b: { model: "test/b" } },
            hedge: { maxShare: 1 }
          },
          {
            reply: ({ index, text }) =>
              Effect.delay(
                Effect.succeed("answer"),
                text === "slow" && index === 64 ? "1 minute" : "100 millis"
              )
          }
        )
      )
    )
  )

  it.effect("says why the request failed, without the provider's words", () =>
    Effect.gen(function* () {
      const span = yield* spanOf(Inference.generate("x"))
      assert.strictEqual(attributesOf(span)["error.type"], "InvalidRequestError")
      const failure = failureOf(span) ?? ""
      assert.include(failure, "generate failed: InvalidRequestError (HTTP 400)")
      assert.notInclude(failure, "the text")
      const captured = yield* spanOf(
        Effect.provideService(Inference.generate("x"), CaptureContent, true)
      )
      assert.include(failureOf(captured), "the text 'secret' is not acceptable")
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            reply: () =>
              TestProvider.fail(
                new AiError.InvalidRequestError({
                  description: "the text 'secret' is not acceptable",
                  http: { response: { status: 400, headers: {} } }
                })
              )
          }
        )
      )
    )
  )

  it.effect("ends when the request is interrupted, with how far its attempt had come", () =>
    Effect.gen(function* () {
      const span = yield* spanOf(
        Effect.gen(function* () {
          const fiber = yield* Effect.forkChild(Inference.generate("x"), { startImmediately: true })
          yield* TestClock.adjust("3 seconds")
          yield* Fiber.interrupt(fiber)
        })
      )
      assert.strictEqual(span.status._tag === "Ended" && Exit.hasInterrupts(span.status.exit), true)
      assert.strictEqual(attributesOf(span)["error.type"], "interrupted")
      assert.deepInclude(eventsOf(span)[0]?.attributes, {
        "infermesh.attempt.outcome": "interrupted",
        "infermesh.attempt.duration": 3
      })
    }).pipe(Effect.provide(TestClient.layer({}, { latency: "1 hour" })))
  )

  it.effect("is the parent of spans that are made below it", () => {
    const { spans, tracer } = make()
    return Inference.generate("x").pipe(
      Effect.provideService(Tracer.Tracer, tracer),
      Effect.andThen(
        Effect.sync(() => {
          assert.deepStrictEqual(
            spans.map(({ name }) => name),
            ["chat model", "below"]
          )
          assert.strictEqual(
            Option.getOrUndefined(spans[1]?.parent ?? Option.none())?.spanId,
            spans[0]?.spanId
          )
        })
      ),
      Effect.provide(
        TestClient.layer({}, { reply: () => Effect.withSpan(Effect.succeed("answer"), "below") })
      )
    )
  })

  it.effect(
    "is not made where nobody reads it: without a tracer, or with tracing turned off",
    () => {
      const seen: Array<boolean> = []
      return Effect.gen(function* () {
        yield* Inference.generate("x")
        const spans = yield* spansOf(Effect.withTracerEnabled(Inference.generate("x"), false))
        assert.deepStrictEqual(spans, [])
        assert.deepStrictEqual(seen, [false, false])
      }).pipe(
        Effect.provide(
          TestClient.layer(
            {},
            {
              reply: () =>
                Effect.map(Effect.option(Effect.currentSpan), (span) => {
                  seen.push(Option.isSome(span))
                  return "answer"
                })
            }
          )
        )
      )
    }
  )

  it.effect("is empty when it is not sampled", () =>
    Effect.gen(function* () {
      const span = yield* spanOf(
        Effect.provideService(Inference.generate("x"), Tracer.MinimumTraceLevel, "None")
      )
      assert.isFalse(span.sampled)
      assert.deepStrictEqual([attributesOf(span), eventsOf(span)], [{}, []])
      assert.strictEqual(span.status._tag, "Ended")
    }).pipe(Effect.provide(TestClient.layer()))
  )
})

describe("the span of a batch", () => {
  it.effect("is the parent of its requests' spans, and counts what failed", () =>
    Effect.gen(function* () {
      const [batch, ...requests] = yield* spansOf(Inference.generateBatch(["a", "b", "fail"]))
      assert.strictEqual(batch?.name, "generate batch")
      assert.deepStrictEqual(attributesOf(batch as Tracer.NativeSpan), {
        "infermesh.batch.size": 3,
        "infermesh.batch.failed": 1
      })
      assert.strictEqual(requests.length, 3)
      for (const { parent } of requests)
        assert.strictEqual(Option.getOrUndefined(parent)?.spanId, batch?.spanId)
    }).pipe(
      Effect.provide(
        TestClient.layer(
          {},
          {
            reply: ({ text }) =>
              text === "fail" ? TestProvider.fail(new AiError.InvalidRequestError({})) : text
          }
        )
      )
    )
  )

  it.effect("is one for each of the batch functions, streams included", () =>
    Effect.gen(function* () {
      const bytes = Uint8Array.of(1)
      const audio = { fileName: "a.wav" }
      const spans = yield* spansOf(
        Effect.all([
          Stream.runDrain(Inference.generateBatchStream(["a", "b"])),
          Inference.embedBatch(["a"]),
          Stream.runDrain(Inference.embedBatchStream(["a"])),
          Inference.transcribeBatch([bytes], audio),
          Stream.runDrain(Inference.transcribeBatchStream([bytes], audio))
        ])
      )
      const batches = spans.filter(({ name }) => name.endsWith("batch"))
      assert.deepStrictEqual(
        batches.map(({ name }) => name),
        ["generate batch", "embed batch", "embed batch", "transcribe batch", "transcribe batch"]
      )
      const parents = spans.flatMap(({ parent }) =>
        Option.isSome(parent) ? [parent.value.spanId] : []
      )
      const [first] = batches
      assert.deepStrictEqual(parents, [first?.spanId, ...batches.map(({ spanId }) => spanId)])
      for (const { status } of spans) assert.strictEqual(status._tag, "Ended")
    }).pipe(Effect.provide(TestClient.layer({}, { embed: {}, transcribe: () => "words" })))
  )

  it.effect("that fails fast says so without the answer", () =>
    Effect.gen(function* () {
      const [batch] = yield* spansOf(
        Inference.generateBatch(["secret"], {
          mode: "failFast",
          output: Schema.Struct({ a: Schema.Int })
        })
      )
      const failure = failureOf(batch as Tracer.NativeSpan)
      assert.include(failure, "StructuredOutputError")
      assert.notInclude(failure, "secret")
    }).pipe(Effect.provide(TestClient.layer()))
  )
})

describe("the text of prompts and answers", () => {
  /** Every way for a text to come into a request and out of it. */
  const ways = [
    "answered",
    "misfit",
    "refused",
    "echoed",
    "streamed",
    "broken",
    "embedded"
  ] as const
  const reply = ({ text }: TestProvider.Asked): TestProvider.Reply =>
    text.startsWith("echoed")
      ? TestProvider.fail(new AiError.InvalidRequestError({ description: `no: ${text}` }))
      : text.startsWith("refused")
        ? { text: "", refusal: text }
        : { text, reasoning: text, toolCalls: [{ id: "1", name: "tool", arguments: text }] }
  const layer = TestClient.layer(
    { maxRetries: 0 },
    {
      reply,
      embed: {},
      stream: ({ text }) => ({
        steps: text.startsWith("broken")
          ? [text, TestProvider.fail(new AiError.InternalProviderError({ description: text }))]
          : [text]
      })
    }
  )
  const ask = (
    way: (typeof ways)[number],
    secret: string
  ): Effect.Effect<unknown, unknown, Inference.Inference> => {
    const text = `${way} ${secret}`
    const messages = [
      { role: "system", content: text },
      { role: "user", content: text }
    ] as const
    switch (way) {
      case "streamed":
      case "broken":
        return Stream.runDrain(Inference.generateStream(messages, { stop: secret, user: secret }))
      case "embedded":
        return Inference.embed(text)
      case "misfit":
        return Inference.generate(messages, { output: Schema.Struct({ a: Schema.Int }) })
      default:
        return Inference.generate(messages, { stop: secret, user: secret })
    }
  }
  const secret = Schema.String.check(Schema.isPattern(/^[a-z]{12}$/))

  it.effect.prop(
    "is in no name, attribute, event or failure of any span",
    { way: Schema.Literals(ways), text: secret },
    ({ text, way }) =>
      Effect.gen(function* () {
        const spans = yield* spansOf(ask(way, text))
        assert.isNotEmpty(spans)
        for (const span of spans) assert.notInclude(textOf(span), text)
      }).pipe(Effect.provide(layer))
  )

  it.effect("is in the messages of the conventions where it is asked for", () =>
    Effect.gen(function* () {
      const span = yield* spanOf(
        Effect.provideService(ask("answered", "hello"), CaptureContent, true)
      )
      const { "gen_ai.input.messages": input, "gen_ai.output.messages": output } =
        attributesOf(span)
      assert.deepStrictEqual(JSON.parse(String(input)), [
        { role: "system", parts: [{ type: "text", content: "answered hello" }] },
        { role: "user", parts: [{ type: "text", content: "answered hello" }] }
      ])
      assert.deepStrictEqual(JSON.parse(String(output)), [
        {
          role: "assistant",
          parts: [
            { type: "reasoning", content: "answered hello" },
            { type: "text", content: "answered hello" },
            { type: "tool_call", id: "1", name: "tool", arguments: "answered hello" }
          ],
          finish_reason: "stop"
        }
      ])
    }).pipe(Effect.provide(layer))
  )
})
