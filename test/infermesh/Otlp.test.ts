import { gunzipSync } from "node:zlib"

import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as Simulator from "@infermesh/core/testing/Simulator"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import { Effect, Layer } from "effect"
import * as Otlp from "effect/observability/Otlp"
import { Client, Inference } from "infermesh"

import { bodyOf, serve } from "../providers/Loopback.ts"

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue?: string; readonly intValue?: number }
}
interface Span {
  readonly name: string
  readonly kind: number
  readonly spanId: string
  readonly parentSpanId?: string
  readonly attributes: ReadonlyArray<Attribute>
  readonly events: ReadonlyArray<{ readonly name: string }>
}
interface Export {
  readonly resourceSpans?: ReadonlyArray<{
    readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }>
  }>
  readonly resourceMetrics?: ReadonlyArray<{
    readonly scopeMetrics: ReadonlyArray<{
      readonly metrics: ReadonlyArray<{ readonly name: string; readonly unit: string }>
    }>
  }>
}

/** A collector of OpenTelemetry's protocol, and all it was sent. */
const collector = Effect.gen(function* () {
  const received: Array<Export> = []
  const base = yield* serve(async (incoming, response) => {
    const body = await bodyOf(incoming)
    const isPacked = incoming.headers["content-encoding"] === "gzip"
    received.push(JSON.parse(String(isPacked ? gunzipSync(body) : body)))
    response.writeHead(200, { "content-type": "application/json" }).end("{}")
  })
  return { received, baseUrl: base.replace(/\/v1$/, "") }
})

const client = Layer.unwrap(
  Effect.map(Simulator.make(), (simulator) =>
    Client.layer({ model: "openai/gpt-4.1-mini", apiBase: "http://simulated/v1" }).pipe(
      Layer.provide(OpenAi.layer),
      Layer.provide(Pricing.layerNone),
      Layer.provide(Simulator.layerHttpClient(() => simulator))
    )
  )
)

const attribute = ({ attributes }: Span, name: string) =>
  attributes.find(({ key }) => key === name)?.value

describe("an OpenTelemetry collector", () => {
  it.live(
    "is sent the spans of a batch and its requests, and the metrics, by the time the program ends",
    () =>
      Effect.gen(function* () {
        const { baseUrl, received } = yield* collector
        const telemetry = Otlp.layerJson({ baseUrl, resource: { serviceName: "summaries" } })
        yield* Inference.generateBatch(["a", "b"]).pipe(
          Effect.provide(
            Layer.provideMerge(client, Layer.provide(telemetry, NodeHttpClient.layerUndici))
          )
        )
        const spans = received
          .flatMap(({ resourceSpans = [] }) => resourceSpans)
          .flatMap(({ scopeSpans }) => scopeSpans)
          .flatMap((scope) => scope.spans)
        const batch = spans.find(({ name }) => name === "generate batch")
        const requests = spans.filter(({ name }) => name === "chat gpt-4.1-mini")
        assert.deepStrictEqual(
          requests.map(({ kind, parentSpanId }) => [kind, parentSpanId]),
          [1, 2].map(() => [3, batch?.spanId])
        )
        for (const request of requests) {
          assert.isNotEmpty(request.events)
          assert.strictEqual(attribute(request, "gen_ai.provider.name")?.stringValue, "openai")
          assert.isAbove(Number(attribute(request, "gen_ai.usage.output_tokens")?.intValue), 0)
        }
        assert.lengthOf(spans, 3)
        const units = new Map(
          received
            .flatMap(({ resourceMetrics = [] }) => resourceMetrics)
            .flatMap(({ scopeMetrics }) => scopeMetrics)
            .flatMap(({ metrics }) => metrics)
            .map(({ name, unit }) => [name, unit])
        )
        assert.strictEqual(units.get("gen_ai.client.operation.duration"), "s")
        assert.strictEqual(units.get("gen_ai.client.token.usage"), "{token}")
        assert.strictEqual(units.get("infermesh.attempts"), "{attempt}")
      }).pipe(Effect.scoped)
  )
})
