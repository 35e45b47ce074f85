import { assert, describe, it } from "@effect/vitest"
import * as Simulator from "@infermesh/core/testing/Simulator"
import { Effect } from "effect"

import { body, chunks, recordedIt, shape } from "./Recording.ts"
import { get, isResponse, json, postTo, respond, values } from "./SimulatorExchange.ts"

interface Part {
  readonly text?: string
  readonly thought?: boolean
  readonly thoughtSignature?: string
  readonly functionCall?: { readonly name: string; readonly args: Record<string, unknown> }
}

interface Answer {
  readonly candidates?: ReadonlyArray<{
    readonly content: { readonly role: string; readonly parts?: ReadonlyArray<Part> }
    readonly finishReason?: string
    readonly index: number
  }>
  readonly promptFeedback?: { readonly blockReason: string }
  readonly usageMetadata: {
    readonly promptTokenCount: number
    readonly candidatesTokenCount: number
    readonly totalTokenCount: number
    readonly thoughtsTokenCount?: number
  }
  readonly modelVersion: string
  readonly error?: ErrorBody["error"]
}

interface ErrorBody {
  readonly error: {
    readonly code: number
    readonly message: string
    readonly status: string
    readonly details?: ReadonlyArray<{
      readonly "@type": string
      readonly retryDelay?: string
      readonly reason?: string
      readonly violations?: ReadonlyArray<{ readonly quotaId: string }>
      readonly fieldViolations?: ReadonlyArray<{ readonly field?: string }>
    }>
  }
}

const path = (method: string, model = "gemini-2.0-flash") => `/v1beta/models/${model}:${method}`
const hello = { contents: [{ role: "user", parts: [{ text: "Hello" }] }] }
const says = (text: string) => ({ contents: [{ role: "user", parts: [{ text }] }] })
const request = (fields: object = {}, model?: string) =>
  postTo(path("generateContent", model), { ...hello, ...fields })

const ask = (simulator: Simulator.Simulator, fields: object = {}, model?: string) =>
  Effect.map(
    respond(simulator, request(fields, model)),
    (response) => (
      assert.strictEqual(response.status, 200, JSON.stringify(response.body)),
      json(response) as Answer
    )
  )

const stream = (simulator: Simulator.Simulator, fields: object = {}, model?: string) =>
  Effect.flatMap(
    respond(
      simulator,
      postTo(`${path("streamGenerateContent", model)}?alt=sse`, { ...hello, ...fields })
    ),
    values<Answer>
  )

const refuse = (simulator: Simulator.Simulator, asked: ReturnType<typeof request>) =>
  Effect.map(respond(simulator, asked), (response) => ({
    status: response.status,
    headers: response.headers,
    error: (json(response) as ErrorBody).error
  }))

const partsOf = (answer: Answer) => answer.candidates?.[0]?.content.parts ?? []
const textOf = (answer: Answer) =>
  partsOf(answer)
    .filter(({ thought }) => thought !== true)
    .map(({ text }) => text ?? "")
    .join("")

const gemini3 = "gemini-3-pro-preview"
const parameters = {
  type: "OBJECT",
  properties: {
    city: { type: "STRING" },
    days: { type: "INTEGER", minimum: 1, maximum: 7, nullable: true }
  },
  required: ["city", "days"]
}
const tools = [
  { functionDeclarations: ["weather", "calendar"].map((name) => ({ name, parameters })) }
]
const anyTool = { tools, toolConfig: { functionCallingConfig: { mode: "ANY" } } }

describe("an answer", () => {
  const recordings = ["text", "reasoning", "tool-call"].map((name) => `google/google-${name}.json`)
  recordedIt("has the keys, in the order, of recorded ones", recordings, () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const [text = "", reasoning = "", toolCall = ""] = recordings
      const answer = yield* ask(simulator, {}, gemini3)
      assert.deepStrictEqual(shape(answer), shape(body(text)))
      assert.deepStrictEqual(shape(answer), shape(body(reasoning)))
      const called = yield* ask(simulator, anyTool, gemini3)
      const plain = (source: unknown) =>
        shape(source).filter((line) => !line.includes("functionCall.args."))
      assert.deepStrictEqual(plain(called), plain(body(toolCall)))
    })
  )

  it.effect("is text with usage, the same for the same prompt", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const answer = yield* ask(simulator)
      const { usageMetadata: usage } = answer
      assert.strictEqual(answer.candidates?.[0]?.finishReason, "STOP")
      assert.strictEqual(usage.promptTokenCount, 2)
      assert.strictEqual(usage.candidatesTokenCount, Math.ceil(textOf(answer).length / 4))
      assert.strictEqual(usage.totalTokenCount, 2 + usage.candidatesTokenCount)
      assert.notProperty(usage, "thoughtsTokenCount")
      assert.strictEqual(textOf(yield* ask(simulator)), textOf(answer))
      const instructed = { systemInstruction: { parts: [{ text: "Be brief." }] } }
      const system = yield* ask(simulator, instructed)
      assert.strictEqual(system.usageMetadata.promptTokenCount, 5)
      assert.notStrictEqual(textOf(system), textOf(answer))
    })
  )

  it.effect("is the same for names in snake case and messages in place of lists of them", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const camel = yield* ask(simulator, {
        systemInstruction: { parts: [{ text: "Be brief." }] },
        generationConfig: { maxOutputTokens: 7 }
      })
      const snake = yield* ask(simulator, {
        contents: { parts: { text: "Hello" } },
        system_instruction: { parts: { text: "Be brief." } },
        generation_config: { max_output_tokens: 7 }
      })
      assert.strictEqual(textOf(snake), textOf(camel))
      assert.deepStrictEqual(snake.usageMetadata, camel.usageMetadata)
    })
  )

  it.effect("says why it ended", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        outputTokens: { min: 30, max: 30 },
        script: ["answer", "answer", "answer", "contentFilter", "refusal", "noChoices"]
      })
      const whole = textOf(yield* ask(simulator))
      const word = whole.split(" ")[2] ?? ""
      const stopped = yield* ask(simulator, { generationConfig: { stopSequences: [word] } })
      assert.strictEqual(textOf(stopped), whole.slice(0, whole.indexOf(word)))
      assert.strictEqual(stopped.candidates?.[0]?.finishReason, "STOP")
      const cut = yield* ask(simulator, { generationConfig: { maxOutputTokens: 5 } })
      assert.strictEqual(cut.candidates?.[0]?.finishReason, "MAX_TOKENS")
      assert.strictEqual(cut.usageMetadata.candidatesTokenCount, 5)
      const filtered = yield* ask(simulator)
      assert.strictEqual(filtered.candidates?.[0]?.finishReason, "SAFETY")
      assert.notProperty(filtered.candidates?.[0]?.content, "parts")
      const blocked = yield* ask(simulator)
      assert.deepStrictEqual(blocked.promptFeedback, { blockReason: "PROHIBITED_CONTENT" })
      assert.notProperty(blocked, "candidates")
      assert.notProperty(yield* ask(simulator), "candidates")
    })
  )

  it.effect("is thought about by models that think, and the thoughts are told where asked", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const withThoughts = (thinkingConfig: object, model = "gemini-2.5-flash") =>
        ask(simulator, { generationConfig: { thinkingConfig } }, model)
      const silent = yield* ask(simulator, {}, "gemini-2.5-flash")
      assert.isAbove(silent.usageMetadata.thoughtsTokenCount ?? 0, 0)
      assert.isTrue(partsOf(silent).every(({ thought }) => thought !== true))
      const told = yield* withThoughts({ includeThoughts: true })
      assert.deepStrictEqual(
        partsOf(told).map(({ thought }) => thought),
        [true, undefined]
      )
      assert.strictEqual(textOf(told), textOf(silent))
      assert.notProperty(
        (yield* withThoughts({ thinkingBudget: 0 })).usageMetadata,
        "thoughtsTokenCount"
      )
      const spent = yield* ask(
        simulator,
        { generationConfig: { maxOutputTokens: 4 } },
        "gemini-2.5-flash"
      )
      assert.strictEqual(spent.candidates?.[0]?.finishReason, "MAX_TOKENS")
      assert.strictEqual(spent.usageMetadata.thoughtsTokenCount, 4)
      assert.deepStrictEqual(partsOf(spent), [])
    })
  )

  it.effect("is JSON of the schema asked for, in either language of schemas", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const parsed = (config: object) =>
        Effect.map(
          ask(simulator, {
            generationConfig: { responseMimeType: "application/json", ...config }
          }),
          (answer) => JSON.parse(textOf(answer)) as Record<string, unknown>
        )
      const jsonSchema = {
        type: "object",
        properties: { city: { type: "string" }, days: { $ref: "#/$defs/days" } },
        required: ["city", "days"],
        additionalProperties: false,
        $defs: { days: { type: "integer" } }
      }
      for (const value of [
        yield* parsed({ responseSchema: parameters }),
        yield* parsed({ responseJsonSchema: jsonSchema })
      ]) {
        assert.isString(value["city"])
        assert.isTrue(value["days"] === null || typeof value["days"] === "number")
      }
      assert.isObject(yield* parsed({}))
    })
  )

  it.effect("calls functions, and speaks once their results are sent back", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        script: ["answer", "answer", "answer", "answer", "answer", "schemaMismatch"]
      })
      const names = (fields: object) =>
        Effect.map(ask(simulator, { tools, ...fields }, gemini3), (answer) =>
          partsOf(answer).map(({ functionCall }) => functionCall?.name ?? "text")
        )
      assert.deepStrictEqual(yield* names({}), ["text"])
      assert.deepStrictEqual(yield* names(says("call the tools")), ["weather", "calendar"])
      const only = { mode: "ANY", allowedFunctionNames: ["calendar"] }
      assert.deepStrictEqual(yield* names({ toolConfig: { functionCallingConfig: only } }), [
        "calendar"
      ])
      const called = yield* ask(simulator, anyTool, gemini3)
      const call = partsOf(called)[0]?.functionCall
      assert.isString(call?.args["city"])
      const contents = [
        ...says("call the tool").contents,
        { role: "model", parts: partsOf(called) },
        {
          role: "user",
          parts: [{ functionResponse: { name: call?.name, response: { result: "sunny" } } }]
        }
      ]
      assert.deepStrictEqual(yield* names({ contents }), ["text"])
      const malformed = yield* ask(simulator, anyTool, gemini3)
      assert.strictEqual(malformed.candidates?.[0]?.finishReason, "MALFORMED_FUNCTION_CALL")
    })
  )

  it.effect("has as many different candidates as asked for, paid together", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { candidates = [], usageMetadata: usage } = yield* ask(simulator, {
        generationConfig: { candidateCount: 3 }
      })
      assert.deepStrictEqual(
        candidates.map(({ index }) => index),
        [0, 1, 2]
      )
      const texts = candidates.map(({ content }) => content.parts?.[0]?.text ?? "")
      assert.strictEqual(new Set(texts).size, 3)
      assert.strictEqual(
        usage.candidatesTokenCount,
        texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
      )
    })
  )
})

describe("a streamed answer", () => {
  const recordings = ["text", "tool-call"].map((name) => `google/google-${name}.chunks.txt`)
  recordedIt("has chunks of the recorded shapes", recordings, () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      for (const [index, fields] of [{}, anyTool].entries()) {
        const sent = yield* stream(simulator, fields, gemini3)
        const recorded = chunks(recordings[index] ?? "")
        const plain = (source: unknown) =>
          shape(source).filter((line) => !line.includes("functionCall.args."))
        for (const position of [0, -2, -1]) {
          assert.deepStrictEqual(plain(sent.at(position)), plain(recorded.at(position)))
        }
      }
    })
  )

  it.effect("adds up to the whole answer, with or without events", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const fields = {
        generationConfig: { candidateCount: 2, thinkingConfig: { includeThoughts: true } }
      }
      const whole = yield* ask(simulator, fields, gemini3)
      const sent = yield* stream(simulator, fields, gemini3)
      const list = yield* respond(
        simulator,
        postTo(path("streamGenerateContent", gemini3), { ...hello, ...fields })
      )
      for (const chunks of [sent, json(list) as ReadonlyArray<Answer>]) {
        for (const candidate of whole.candidates ?? []) {
          const parts = chunks
            .flatMap(({ candidates = [] }) => candidates)
            .filter(({ index }) => index === candidate.index)
            .flatMap(({ content }) => content.parts ?? [])
          for (const thought of [true, undefined]) {
            const join = (all: ReadonlyArray<Part>) =>
              all
                .filter((part) => part.thought === thought)
                .map(({ text }) => text)
                .join("")
            assert.strictEqual(join(parts), join(candidate.content.parts ?? []))
          }
        }
        assert.deepStrictEqual(chunks.at(-1)?.usageMetadata, whole.usageMetadata)
        const reasons = chunks.flatMap(({ candidates = [] }) =>
          candidates.flatMap(({ finishReason }) => finishReason ?? [])
        )
        assert.deepStrictEqual(reasons, ["STOP", "STOP"])
      }
    })
  )

  it.effect("may end in an error", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ script: ["streamError"] })
      const sent = yield* stream(simulator)
      assert.isAbove(sent.length, 1)
      assert.deepInclude(sent.at(-1)?.error, { code: 500, status: "INTERNAL" })
    })
  )
})

describe("a wrong request for content", () => {
  const call = { role: "model", parts: [{ functionCall: { name: "weather", args: {} } }] }
  const config = (generationConfig: object) => ({ generationConfig })
  const cases: ReadonlyArray<readonly [string, object, RegExp]> = [
    [
      "a field of chat completions",
      { messages: [] },
      /^Invalid JSON payload received\. Unknown name "messages": Cannot find field\.$/
    ],
    [
      "an unknown field of the configuration",
      config({ maxTokens: 1 }),
      /^Invalid JSON payload received\. Unknown name "maxTokens" at 'generation_config': Cannot find field\.$/
    ],
    [
      "JSON Schema where a Schema is meant",
      {
        tools: [
          {
            functionDeclarations: [
              {
                name: "f",
                parameters: { type: "object", properties: { a: { additionalProperties: false } } }
              }
            ]
          }
        ]
      },
      /Unknown name "additionalProperties" at 'tools\[0\]\.function_declarations\[0\]\.parameters\.properties\[0\]\.value'/
    ],
    [
      "text of another type",
      { contents: [{ role: "user", parts: [{ text: 7 }] }] },
      /^Invalid value at 'contents\[0\]\.parts\[0\]\.text' \(TYPE_STRING\), 7$/
    ],
    [
      "a temperature too high",
      config({ temperature: 2.1 }),
      /^\* GenerateContentRequest\.generation_config\.temperature: temperature must be in the range \[0, 2\]\.\n$/
    ],
    [
      "no contents",
      { contents: undefined },
      /^\* GenerateContentRequest\.contents: contents is not specified\n$/
    ],
    [
      "empty contents",
      { contents: [] },
      /^\* GenerateContentRequest\.contents: contents is not specified\n$/
    ],
    [
      "a role of chat completions",
      { contents: [{ role: "assistant", parts: [{ text: "a" }] }] },
      /^Please use a valid role: user, model\.$/
    ],
    [
      "no parts",
      { contents: [{ role: "user", parts: [] }] },
      /^\* GenerateContentRequest\.contents\[0\]\.parts: contents\.parts must not be empty\.\n$/
    ],
    [
      "a part without data",
      { contents: [{ role: "user", parts: [{ thought: true }] }] },
      /required oneof field 'data' must have one initialized field\n$/
    ],
    [
      "a call without its response",
      { contents: [...hello.contents, call] },
      /^Please ensure that the number of function response parts/
    ],
    [
      "a bad function name",
      { tools: [{ functionDeclarations: [{ name: "my tool" }] }] },
      /^\* GenerateContentRequest\.tools\[0\]\.function_declarations\[0\]\.name:/
    ],
    [
      "a forced function without functions",
      { toolConfig: { functionCallingConfig: { mode: "ANY" } } },
      /^Function calling config is set without function_declarations\.$/
    ],
    [
      "an allowed function that is none",
      {
        tools,
        toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["x"] } }
      },
      /'x' is not a declared function/
    ],
    [
      "allowed functions that need not be called",
      {
        tools,
        toolConfig: { functionCallingConfig: { mode: "AUTO", allowedFunctionNames: ["weather"] } }
      },
      /^Allowed function names should only be set/
    ],
    [
      "a schema without its type of content",
      config({ responseSchema: parameters }),
      /only allowed when response_mime_type is/
    ],
    [
      "an unknown type of content",
      config({ responseMimeType: "text/html" }),
      /allowed mimetypes are/
    ],
    [
      "functions together with JSON, of a model that cannot",
      { tools, ...config({ responseMimeType: "application/json" }) },
      /^Function calling with a response mime type: 'application\/json' is unsupported$/
    ],
    [
      "two measures of thinking",
      config({ thinkingConfig: { thinkingBudget: 1, thinkingLevel: "low" } }),
      /only one of thinking budget and thinking level/
    ],
    [
      "more output than the model has",
      config({ maxOutputTokens: 1001 }),
      /max_output_tokens must be in the range \[1, 1000\]/
    ],
    [
      "a prompt larger than the context",
      says("x".repeat(8004)),
      /^The input token count \(2001\) exceeds the maximum number of tokens allowed \(2000\)\.$/
    ]
  ]
  for (const [name, fields, message] of cases) {
    it.effect(`is refused as Gemini refuses it: ${name}`, () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({ contextWindow: 2000, maxOutputTokens: 1000 })
        const refused = yield* refuse(simulator, request(fields))
        assert.strictEqual(refused.status, 400)
        assert.deepInclude(refused.error, { code: 400, status: "INVALID_ARGUMENT" })
        assert.match(refused.error.message, message)
      })
    )
  }

  it.effect("names the field it breaks off at", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const { error } = yield* refuse(simulator, request(config({ topP: "x" })))
      const [detail] = error.details ?? []
      assert.strictEqual(detail?.["@type"], "type.googleapis.com/google.rpc.BadRequest")
      assert.strictEqual(detail?.fieldViolations?.[0]?.field, "generation_config.top_p")
    })
  )

  it.effect("is one with a wrong key, model or address", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ apiKey: "right", models: ["gemini-2.0-flash"] })
      const keyed = (key: string, model?: string) => ({
        ...request({}, model),
        headers: { "x-goog-api-key": key }
      })
      const none = yield* refuse(simulator, request())
      assert.deepInclude(none.error, { code: 403, status: "PERMISSION_DENIED" })
      const wrong = yield* refuse(simulator, keyed("wrong"))
      assert.strictEqual(wrong.status, 400)
      assert.strictEqual(wrong.error.details?.[0]?.reason, "API_KEY_INVALID")
      assert.strictEqual((yield* respond(simulator, keyed("right"))).status, 200)
      const inQuery = { ...request(), path: `${path("generateContent")}?key=right` }
      assert.strictEqual((yield* respond(simulator, inQuery)).status, 200)
      const unknown = yield* refuse(simulator, keyed("right", "gemini-9"))
      assert.deepInclude(unknown.error, { code: 404, status: "NOT_FOUND" })
      assert.match(unknown.error.message, /^models\/gemini-9 is not found/)
      const address = isResponse(yield* simulator.handle(get("/v1beta/nothing")))
      assert.strictEqual((json(address) as ErrorBody).error.status, "NOT_FOUND")
    })
  )

  it.effect("is none with every documented field", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      yield* ask(simulator, {
        contents: [
          {
            role: "user",
            parts: [
              { text: "Look" },
              { inlineData: { mimeType: "image/png", data: "AAAA" } },
              { fileData: { mimeType: "video/mp4", fileUri: "https://example.com/a" } }
            ]
          },
          {
            role: "model",
            parts: [
              { text: "t", thought: true },
              { functionCall: { id: "1", name: "f", args: {} }, thoughtSignature: "s" }
            ]
          },
          {
            role: "user",
            parts: [{ functionResponse: { id: "1", name: "f", response: { a: 1 } } }]
          }
        ],
        systemInstruction: { role: "user", parts: [{ text: "Be brief." }] },
        tools: [
          {
            functionDeclarations: [
              { name: "f", description: "d", parametersJsonSchema: { type: "object" } }
            ]
          },
          { googleSearch: {} }
        ],
        toolConfig: { functionCallingConfig: { mode: "AUTO" } },
        safetySettings: [{ category: "HARM_CATEGORY_HARASSMENT", threshold: "BLOCK_ONLY_HIGH" }],
        generationConfig: {
          stopSequences: ["END"],
          responseMimeType: "text/plain",
          responseModalities: ["TEXT"],
          candidateCount: 1,
          maxOutputTokens: 100,
          temperature: 1,
          topP: 0.9,
          topK: 5,
          seed: 1,
          presencePenalty: 0,
          frequencyPenalty: 0,
          responseLogprobs: false,
          mediaResolution: "MEDIA_RESOLUTION_LOW",
          thinkingConfig: { includeThoughts: true, thinkingBudget: 100 }
        },
        cachedContent: "cachedContents/a"
      })
    })
  )
})

describe("content under load", () => {
  recordedIt(
    "is limited in the words of a recorded refusal",
    ["google/google-429-retry-info.json"],
    () =>
      Effect.gen(function* () {
        const simulator = yield* Simulator.make({
          script: [{ fault: "rateLimited", retryAfterMillis: 34_400 }]
        })
        const response = yield* respond(simulator, request())
        assert.strictEqual(response.status, 429)
        assert.deepStrictEqual(json(response), body("google/google-429-retry-info.json"))
        assert.notProperty(response.headers, "retry-after")
      })
  )

  it.effect("names the quota and when to come back, in the body alone", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ quota: { rpm: 1, rpd: 2 } })
      const answered = yield* respond(simulator, request())
      assert.isTrue(Object.keys(answered.headers).every((name) => !name.includes("ratelimit")))
      const { error, headers } = yield* refuse(simulator, request())
      assert.deepInclude(error, { code: 429, status: "RESOURCE_EXHAUSTED" })
      const [failure, retry] = error.details ?? []
      assert.match(failure?.violations?.[0]?.quotaId ?? "", /^GenerateRequestsPerMinute/)
      assert.strictEqual(retry?.retryDelay, "60s")
      assert.match(error.message, /Please retry in 60s\.$/)
      assert.notProperty(headers, "retry-after")
    })
  )

  it.effect("meets the vendor's own errors", () =>
    Effect.gen(function* () {
      const expected = [
        ["insufficientQuota", 429, "RESOURCE_EXHAUSTED"],
        ["unauthorized", 400, "INVALID_ARGUMENT"],
        ["internal", 500, "INTERNAL"],
        ["unavailable", 503, "UNAVAILABLE"],
        ["overloaded", 503, "UNAVAILABLE"]
      ] as const
      const simulator = yield* Simulator.make({ script: expected.map(([fault]) => fault) })
      for (const [, status, name] of expected) {
        const refused = yield* refuse(simulator, request())
        assert.strictEqual(refused.status, status)
        assert.deepInclude(refused.error, { code: status, status: name })
      }
    })
  )
})

describe("Gemini's embeddings", () => {
  const model = "gemini-embedding-001"
  const content = (text: string) => ({ parts: [{ text }] })
  const one = (fields: object) => postTo(path("embedContent", model), fields)
  const many = (...requests: ReadonlyArray<object>) =>
    postTo(path("batchEmbedContents", model), { requests })
  const item = (text: string, fields: object = {}) => ({
    model: `models/${model}`,
    content: content(text),
    ...fields
  })
  const vectors = (simulator: Simulator.Simulator, asked: ReturnType<typeof many>) =>
    Effect.map(respond(simulator, asked), (response) => {
      assert.strictEqual(response.status, 200, JSON.stringify(response.body))
      const answer = json(response) as {
        readonly embeddings: ReadonlyArray<{ readonly values: ReadonlyArray<number> }>
      }
      return answer.embeddings.map(({ values }) => values)
    })

  it.effect("are one vector per text, in order, the same alone", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make()
      const [first = [], second, third] = yield* vectors(
        simulator,
        many(item("a"), item("b"), item("a", { outputDimensionality: 768 }))
      )
      assert.strictEqual(first.length, 3072)
      assert.closeTo(Math.hypot(...first), 1, 1e-5)
      assert.notDeepEqual(first, second)
      assert.deepStrictEqual(third, first.slice(0, 768))
      const alone = json(yield* respond(simulator, one({ content: content("a") })))
      assert.deepStrictEqual(alone, { embedding: { values: first } })
      assert.strictEqual((yield* simulator.stats).promptTokens, 4)
    })
  )

  it.effect("are refused as Gemini refuses them", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({ embeddings: { dimensions: 8, poison: "POISON" } })
      const cases: ReadonlyArray<readonly [ReturnType<typeof one>, RegExp]> = [
        [
          many(...Array.from({ length: 101 }, () => item("a"))),
          /^\* BatchEmbedContentsRequest\.requests: at most 100 requests can be in one batch\n$/
        ],
        [many(), /requests is not specified/],
        [many({ content: content("a") }), /requests\[0\]\.model: unexpected model name format/],
        [many(item("a"), item("")), /requests\[1\]\.content: contains an empty Part/],
        [one({ content: content("a"), outputDimensionality: 9 }), /in the range \[1, 8\]/],
        [one({ content: content("a"), input: "a" }), /Unknown name "input"/],
        [
          one({ content: content("a"), taskType: "SEARCH" }),
          /^Invalid value at 'task_type' \(TYPE_ENUM\), "SEARCH"$/
        ],
        [many(item("a"), item("a POISON b")), /^Request contains an invalid argument\.$/]
      ]
      for (const [asked, message] of cases) {
        const refused = yield* refuse(simulator, asked)
        assert.strictEqual(refused.status, 400)
        assert.match(refused.error.message, message)
      }
    })
  )

  it.effect("cost their tokens and meet faults", () =>
    Effect.gen(function* () {
      const simulator = yield* Simulator.make({
        embeddings: { dimensions: 8 },
        quota: { tpm: 3 },
        script: ["noChoices", "overloaded"]
      })
      assert.deepStrictEqual(yield* vectors(simulator, many(item("a"))), [])
      assert.strictEqual((yield* respond(simulator, many(item("a")))).status, 503)
      yield* vectors(simulator, many(item("a"), item("b")))
      assert.strictEqual((yield* respond(simulator, many(item("a")))).status, 429)
    })
  )
})
