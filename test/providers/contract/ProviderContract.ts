import { assert, describe, it } from "@effect/vitest"
import type { EndpointType, GenerateRequest, Generation } from "@infermesh/core/operation/Generate"
import type { ModelOptions } from "@infermesh/core/operation/GenerateOptions"
import * as Message from "@infermesh/core/operation/Message"
import type { ToolCall } from "@infermesh/core/operation/ToolCall"
import type {
  AttemptError,
  Connection,
  GenerationPart,
  Provider,
  Target
} from "@infermesh/core/provider/Provider"
import { explain, retryAfter } from "@infermesh/core/Reason"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Duration, Effect, Fiber, Option, Stream } from "effect"
import { Prompt } from "effect/ai"
import type { HttpClient } from "effect/http"

import { key, target } from "../FakeHttp.ts"
import { request } from "../Request.ts"
import { answerOf, assembled, partsOf } from "../Wire.ts"

/** What a provider may lack: then it must refuse it, or leave it out of its answers. */
export type Ability =
  | "tools"
  | "structured output"
  | "n"
  | "rate limits"
  | "content filter"
  // Of a vendor that sends it unasked, which the simulator does not.
  | "stream usage"

/** A provider at one endpoint, before the simulator, which speaks its format and refuses what that format does not know. */
export interface Subject {
  readonly provider: Effect.Effect<Provider, never, HttpClient.HttpClient>
  readonly model: string
  readonly apiBase: string
  readonly endpoint?: EndpointType
  readonly lacks: ReadonlyArray<Ability>
  /** Options that the provider cannot be told. */
  readonly unknown: ReadonlyArray<ModelOptions>
}

const origin = "http://sim.local"

/** What every provider must do alike. */
export const suite = (name: string, subject: Subject): void => {
  const has = (ability: Ability) => !subject.lacks.includes(ability)

  const asked = (more: Partial<GenerateRequest> = {}): GenerateRequest =>
    request({ endpoint: subject.endpoint ?? "chat_completion", ...more })

  const saying = (text: string, more: Partial<GenerateRequest> = {}) =>
    asked({ prompt: Message.fromText(text), ...more })

  const start = Effect.fnUntraced(function* (
    settings: Simulator.SimulatorSettings = {},
    deployment: Partial<Target> = {}
  ) {
    const simulator = yield* Simulator.make(settings)
    const connection = yield* subject.provider.pipe(
      Effect.flatMap((provider) =>
        provider.connect(target({ model: subject.model, apiBase: subject.apiBase, ...deployment }))
      ),
      Effect.provide(Simulator.layerHttpClient({ [origin]: simulator }))
    )
    return { simulator, ...methods(connection) }
  })

  const methods = ({ generate, generateStream }: Connection) => {
    assert(generate !== undefined && generateStream !== undefined, "it generates, streamed too")
    return {
      generate,
      generateStream,
      stream: (request_: GenerateRequest) => Stream.runCollect(generateStream(request_))
    }
  }

  /** Both ways of asking, which must fail alike. */
  const ways = ({ generate, stream }: { readonly generate: Generate; readonly stream: Generate }) =>
    [
      ["whole", generate],
      ["streamed", stream]
    ] as const

  type Generate = (request: GenerateRequest) => Effect.Effect<unknown, AttemptError>

  describe(`${name} fulfils the contract:`, () => {
    it.effect("a prompt is answered, with model, usage and id", () =>
      Effect.gen(function* () {
        const { generate } = yield* start()
        const { body, requestId, usage, value } = yield* generate(saying("Say hello"))
        const [choice, ...others] = value.choices
        assert.strictEqual(others.length, 0)
        assert.isAbove(choice.text.length, 0)
        assert.deepStrictEqual([choice.finishReason, choice.toolCalls.length], ["stop", 0])
        assert.isUndefined(choice.refusal)
        assert.strictEqual(value.modelId, subject.model)
        assert.isAbove(usage?.promptTokens ?? 0, 0)
        assert.isAbove(usage?.completionTokens ?? 0, 0)
        assert.strictEqual(
          usage?.totalTokens,
          (usage?.promptTokens ?? 0) + (usage?.completionTokens ?? 0)
        )
        assert.isString(requestId)
        assert.isObject(body)
      })
    )

    it.effect("a stream says the same as a whole answer, in parts", () =>
      Effect.gen(function* () {
        const { generate, stream } = yield* start({ seed: 5 })
        for (const prompt of ["Say hello", "Tell me a story of the sea.", "é🙂"]) {
          const whole = yield* generate(saying(prompt))
          const elements = yield* stream(saying(prompt))
          const streamed = answerOf(elements)
          assert.deepStrictEqual(streamed.value, whole.value)
          assert.deepStrictEqual(streamed.usage, has("stream usage") ? whole.usage : undefined)
          assert.isString(streamed.requestId)
          assert.strictEqual(assembled(partsOf(elements)).text, whole.value.choices[0].text)
          assert.isAbove(partsOf(elements).length, 1)
        }
      })
    )

    it.effect("options are obeyed", () =>
      Effect.gen(function* () {
        const { generate } = yield* start({ outputTokens: { min: 40, max: 60 } })
        const knowsStop = subject.unknown.every(({ stop }) => stop === undefined)
        const stop = knowsStop ? { stop: ["\u0000"] } : {}
        const options = { temperature: 0.5, topP: 0.9, maxTokens: 20, ...stop }
        const { usage, value } = yield* generate(saying("Say hello", { options }))
        assert.strictEqual(value.choices[0].finishReason, "length")
        assert.strictEqual(usage?.completionTokens, 20)
      })
    )

    it.effect(
      "an option the provider cannot be told is refused by its name, and nothing is sent",
      () =>
        Effect.gen(function* () {
          const { simulator, ...both } = yield* start()
          for (const options of subject.unknown) {
            for (const [, ask] of ways(both)) {
              const { outcome, reason } = yield* Effect.flip(ask(saying("Hi", { options })))
              assert(reason._tag === "Unsupported")
              assert.strictEqual(outcome, "unsent")
              assert.include(reason.feature, `'${Object.keys(options)[0]}'`)
              assert.isString(reason.hint)
            }
          }
          assert.strictEqual((yield* simulator.stats).requests, 0)
        })
    )

    it.effect("several answers come each as a choice, or are refused", () =>
      Effect.gen(function* () {
        const { generate, simulator, stream } = yield* start()
        const several = saying("Say hello", { options: { n: 2 } })
        if (!has("n")) {
          const { reason } = yield* Effect.flip(generate(several))
          assert(reason._tag === "Unsupported")
          assert.include(reason.feature, "'n'")
          assert.strictEqual((yield* simulator.stats).requests, 0)
          return
        }
        const { value } = yield* generate(several)
        assert.strictEqual(value.choices.length, 2)
        assert.notStrictEqual(value.choices[0].text, value.choices[1]?.text)
        assert.deepStrictEqual(answerOf(yield* stream(several)).value, value)
      })
    )

    it.effect("a tool is called, and its answer goes back, or tools are refused", () =>
      Effect.gen(function* () {
        const both = yield* start()
        const tools = [
          {
            name: "weather",
            description: "The weather of a city",
            parameters: {
              type: "object",
              properties: { city: { type: "string" } },
              required: ["city"],
              additionalProperties: false
            }
          }
        ]
        const first = saying("Please call the tool.", { tools })
        if (!has("tools")) {
          for (const [, ask] of ways(both)) {
            const { reason } = yield* Effect.flip(ask(first))
            assert(reason._tag === "Unsupported")
            assert.include(reason.feature, "tools")
          }
          return
        }
        const { value } = yield* both.generate(first)
        const elements = yield* both.stream(first)
        const [call, ...others] = value.choices[0].toolCalls
        assert(call !== undefined && others.length === 0, "one tool is called")
        assert.strictEqual(call.name, "weather")
        assert.notStrictEqual(call.id, "")
        assert.property(JSON.parse(call.arguments ?? ""), "city")
        assert.strictEqual(value.choices[0].finishReason, "tool-calls")
        sameCalls(answerOf(elements).value, partsOf(elements), call)
        const next = asked({ tools, prompt: answered(first.prompt, value, "sunny") })
        const { value: last } = yield* both.generate(next)
        assert.isAbove(last.choices[0].text.length, 0)
        assert.strictEqual(last.choices[0].finishReason, "stop")
        const forced = yield* both.generate(
          saying("Hi", { tools, toolChoice: { tool: "weather" } })
        )
        assert.strictEqual(forced.value.choices[0].toolCalls[0]?.name, "weather")
        const none = yield* both.generate(
          saying("Please call the tool.", { tools, toolChoice: "none" })
        )
        assert.strictEqual(none.value.choices[0].toolCalls.length, 0)
      })
    )

    it.effect("an output schema gives JSON, or is refused", () =>
      Effect.gen(function* () {
        const { generate, stream } = yield* start()
        const output = {
          name: "answer",
          strict: true,
          jsonSchema: {
            type: "object",
            properties: { answer: { type: "string" }, certain: { type: "boolean" } },
            required: ["answer", "certain"],
            additionalProperties: false
          }
        }
        const structured = saying("Say hello", { output })
        if (!has("structured output")) {
          const { reason } = yield* Effect.flip(generate(structured))
          assert(reason._tag === "Unsupported")
          assert.include(reason.feature, "structured output")
          return
        }
        const { value } = yield* generate(structured)
        assert.isString(JSON.parse(value.choices[0].text).answer)
        assert.strictEqual(value.choices[0].finishReason, "stop")
        assert.strictEqual(
          answerOf(yield* stream(structured)).value.choices[0].text,
          value.choices[0].text
        )
      })
    )

    it.effect("the limits that a response reports are read, of refusals too", () =>
      Effect.gen(function* () {
        const quota = { rpm: 2, tpm: 100_000 }
        const { generate, stream } = yield* start({ quota })
        const answers = [
          yield* generate(saying("Say hello")),
          answerOf(yield* stream(saying("Say hello")))
        ]
        for (const [index, { rateLimits }] of answers.entries()) {
          if (!has("rate limits")) {
            assert.isUndefined(rateLimits)
            continue
          }
          assert.deepStrictEqual(
            [rateLimits?.requests?.limit, rateLimits?.requests?.remaining],
            [2, 1 - index]
          )
          assert.strictEqual(rateLimits?.tokens?.limit, 100_000)
          assert.isNumber(rateLimits?.requests?.resetMillis)
        }
        const { outcome, rateLimits, reason } = yield* Effect.flip(generate(saying("Say hello")))
        assert.deepStrictEqual([reason._tag, outcome], ["RateLimitError", "refused"])
        assert.strictEqual(Option.isSome(waitOf(reason)), true)
        if (has("rate limits")) assert.strictEqual(rateLimits?.requests?.remaining, 0)
      })
    )

    const faults: ReadonlyArray<
      readonly [fault: Simulator.FaultKind, tag: string, outcome: AttemptError["outcome"]]
    > = [
      ["rateLimited", "RateLimitError", "refused"],
      ["insufficientQuota", "QuotaExhaustedError", "refused"],
      ["unauthorized", "AuthenticationError", "refused"],
      ["internal", "InternalProviderError", "unknown"],
      ["unavailable", "InternalProviderError", "refused"],
      ["overloaded", "InternalProviderError", "refused"],
      ["reset", "NetworkError", "unknown"]
    ]
    for (const [fault, tag, outcome] of faults) {
      it.effect(
        `${fault} has its reason, whole and streamed, on one line and without the key`,
        () =>
          Effect.gen(function* () {
            const both = yield* start({ script: [fault, fault], retryAfterMillis: 7000 })
            for (const [way, ask] of ways(both)) {
              const error = yield* Effect.flip(ask(saying("Say hello")))
              assert.deepStrictEqual([error.reason._tag, error.outcome], [tag, outcome], way)
              isClean(error)
              if (fault === "rateLimited") {
                assert.deepStrictEqual(
                  Option.map(waitOf(error.reason), Duration.toSeconds),
                  Option.some(7)
                )
              }
            }
          })
      )
    }

    it.effect("a wrong key, an unknown model and a wrong address have their reasons", () =>
      Effect.gen(function* () {
        const wrong = yield* start({ apiKey: "another" })
        const elsewhere = yield* start({ models: ["another"] })
        const nowhere = yield* start({}, { apiBase: `${origin}/nowhere/v9` })
        const table = [
          [wrong, "AuthenticationError"],
          [elsewhere, "ModelNotFound"],
          [nowhere, "InvalidRequestError"]
        ] as const
        for (const [both, tag] of table) {
          for (const [way, ask] of ways(both)) {
            const error = yield* Effect.flip(ask(saying("Say hello")))
            assert.deepStrictEqual([error.reason._tag, error.outcome], [tag, "refused"], way)
            isClean(error)
          }
        }
        const lost = yield* Effect.flip(nowhere.generate(saying("Say hello")))
        assert.include(explain(lost.reason), "check the base URL")
      })
    )

    it.effect("too long a prompt is told as that", () =>
      Effect.gen(function* () {
        const both = yield* start({ contextWindow: 5000 })
        for (const [way, ask] of ways(both)) {
          const long = saying("word ".repeat(10_000))
          const error = yield* Effect.flip(ask(long))
          assert.strictEqual(error.reason._tag, "ContextWindowExceeded", way)
          isClean(error)
        }
      })
    )

    it.effect.skipIf(!has("content filter"))("a filtered answer says so by its end", () =>
      Effect.gen(function* () {
        const { generate, stream } = yield* start({ script: ["contentFilter", "contentFilter"] })
        const { value } = yield* generate(saying("Say hello"))
        assert.strictEqual(value.choices[0].finishReason, "content-filter")
        const streamed = answerOf(yield* stream(saying("Say hello")))
        assert.strictEqual(streamed.value.choices[0].finishReason, "content-filter")
      })
    )

    it.effect("a body that is no JSON is no answer", () =>
      Effect.gen(function* () {
        const { generate } = yield* start({ script: ["malformed"] })
        const error = yield* Effect.flip(generate(saying("Say hello")))
        assert.deepStrictEqual(
          [error.reason._tag, error.outcome],
          ["InvalidResponseError", "unknown"]
        )
        isClean(error)
      })
    )

    it.effect(
      "a body or a stream that is cut, or that breaks, is a typed failure with what had arrived",
      () =>
        Effect.gen(function* () {
          const script = ["truncated", "truncated", "streamError", "malformed"] as const
          const { generate, stream } = yield* start({ script: [...script, "answer"] })
          const prompt = saying("Tell me a story of the sea.")
          const cut = yield* Effect.flip(generate(prompt))
          assert.deepStrictEqual([cut.reason._tag, cut.outcome], ["NetworkError", "unknown"])
          isClean(cut)
          const broken = [
            yield* Effect.flip(stream(prompt)),
            yield* Effect.flip(stream(prompt)),
            yield* Effect.flip(stream(prompt))
          ]
          const [{ text }] = (yield* generate(prompt)).value.choices
          for (const error of broken) {
            isClean(error)
            const { outcome, reason } = error
            if (reason._tag === "StreamInterrupted") {
              assert.strictEqual(outcome, "unknown")
              assert.isTrue(text.startsWith(reason.text))
            } else {
              assert.include(
                ["NetworkError", "InternalProviderError", "InvalidResponseError"],
                reason._tag
              )
            }
          }
        })
    )

    it.effect("an answer that never comes is given up at once, and the server sees it", () =>
      Effect.gen(function* () {
        const { generate, generateStream, simulator } = yield* start({
          script: ["hang", "hang", "stalled"]
        })
        const asking = [
          generate,
          (asked_: GenerateRequest) => Stream.runDrain(generateStream(asked_))
        ]
        for (const [index, ask] of asking.entries()) {
          const fiber = yield* Effect.forkChild(ask(saying("Say hello")))
          while ((yield* simulator.stats).inFlight === 0) yield* Effect.yieldNow
          yield* Fiber.interrupt(fiber)
          const { aborted, inFlight } = yield* simulator.stats
          assert.deepStrictEqual([aborted, inFlight], [index + 1, 0])
        }
        const stalled = generateStream(saying("Tell me a story of the sea."))
        const fiber = yield* Effect.forkChild(Stream.runDrain(stalled))
        while ((yield* simulator.stats).inFlight === 0) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        const { aborted, inFlight } = yield* simulator.stats
        assert.deepStrictEqual([aborted, inFlight], [3, 0])
      })
    )
  })
}

const waitOf = (reason: AttemptError["reason"]) => Option.fromNullishOr(retryAfter(reason))

const isClean = ({ reason }: AttemptError) => {
  const said = explain(reason)
  assert.notMatch(said, /\n/)
  assert.notInclude(said + JSON.stringify(reason), key)
}

const sameCalls = (
  streamed: Generation,
  parts: ReadonlyArray<GenerationPart>,
  { arguments: source, name }: ToolCall
) => {
  const [call] = streamed.choices[0].toolCalls
  assert.deepStrictEqual(
    [call?.name, JSON.parse(call?.arguments ?? "")],
    [name, JSON.parse(source ?? "")]
  )
  const [delta] = assembled(parts).calls
  assert.deepStrictEqual([delta?.id, delta?.name], [call?.id, name])
}

/** The conversation so far, with the model's call and the tool's answer to it. */
const answered = (prompt: Prompt.Prompt, { choices }: Generation, result: string) => {
  const [{ content, toolCalls }] = choices
  const [call] = toolCalls
  assert(call !== undefined)
  const { id, name } = call
  const parts = content ?? [
    Prompt.makePart("tool-call", {
      id,
      name,
      params: JSON.parse(call.arguments ?? "{}"),
      providerExecuted: false,
      options: {}
    })
  ]
  const answer = Prompt.makePart("tool-result", {
    id,
    name,
    isFailure: false,
    result,
    providerExecuted: false,
    options: {}
  })
  return Prompt.fromMessages([
    ...prompt.content,
    Prompt.makeMessage("assistant", { content: parts, options: {} }),
    Prompt.makeMessage("tool", { content: [answer], options: {} })
  ])
}
