import { readFileSync } from "node:fs"
import { join } from "node:path"

import { assert, describe, it } from "@effect/vitest"
import * as Inference from "@infermesh/core/Inference"
import { labels, metrics, prometheusName, table } from "@infermesh/core/telemetry/Metrics"
import * as TestProvider from "@infermesh/core/testing/TestProvider"
import { Duration, Effect, Fiber, Metric, Stream } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { TestClock } from "effect/testing"

import * as TestClient from "../TestClient.ts"
import { fresh, meanwhile } from "./Registry.ts"
import { attributesOf, eventsOf, spansOf } from "./TestTracer.ts"

/** A client that shows something of everything: answers, failures, retries, a stream, learned limits. */
const busy = TestClient.layer(
  { maxParallelRequests: 8, limits: { rpm: 1000 }, hedge: { maxShare: 1 } },
  {
    latency: "1 second",
    embed: {},
    transcribe: () => "words",
    stream: () => ({ steps: ["a"] }),
    reply: ({ index, text }) =>
      index === 0
        ? TestProvider.rateLimited(Duration.seconds(1))
        : index === 1
          ? TestProvider.unavailable()
          : {
              text,
              rateLimits: {
                requests: { limit: 500, remaining: 499, resetMillis: 100 },
                tokens: undefined,
                illFormed: 1
              }
            }
  }
)

const work = meanwhile(
  Effect.all(
    [
      Inference.generateBatch(["a", "b", "c"]),
      Inference.generate("x", { endpoint: "text_completion", temperature: 0.1, n: 2 }),
      Inference.embed("x"),
      Inference.transcribe(Uint8Array.of(1), { fileName: "a.wav" }),
      Stream.runDrain(Inference.generateStream("x")),
      Effect.exit(Inference.generate("x", { deadline: "10 millis" }))
    ],
    { concurrency: "unbounded" }
  )
)

describe("the table of metrics", () => {
  it("has each name once, in the form of the conventions", () => {
    assert.strictEqual(new Set(table.map(({ name }) => name)).size, table.length)
    for (const { boundaries = [], description, kind, name } of table) {
      assert.match(name, /^(?:gen_ai\.client|infermesh)(?:\.[a-z]+(?:_[a-z]+)*)+$/)
      assert.isNotEmpty(description)
      assert.strictEqual(boundaries.length > 0, kind === "histogram")
      assert.deepStrictEqual(
        boundaries.toSorted((left, right) => left - right),
        boundaries
      )
    }
  })

  it.effect(
    "has every metric that is recorded, with its kind and unit and no label but its own",
    () =>
      fresh(
        Effect.gen(function* () {
          yield* work
          const snapshots = yield* Metric.snapshot
          assert.isAbove(new Set(snapshots.map(({ id }) => id)).size, 15)
          for (const { attributes, description, id, state, type } of snapshots) {
            // JSON, and so OTLP, has no infinity.
            if ("value" in state) assert.isTrue(Number.isFinite(state.value), id)
            const definition = table.find(({ name }) => name === id)
            assert.isDefined(definition, id)
            const { unit, ...others } = attributes ?? {}
            assert.deepStrictEqual(
              [type.toLowerCase(), unit, description],
              [definition?.kind, definition?.unit, definition?.description]
            )
            for (const label of Object.keys(others))
              assert.include(definition?.labels ?? [], label, id)
          }
        }).pipe(Effect.provide(busy))
      )
  )
})

describe("in Prometheus' text format", () => {
  it("metrics have their unit and whether they are totals in the name", () => {
    assert.deepStrictEqual(
      [
        metrics.duration,
        metrics.tokens,
        metrics.cost,
        metrics.attempts,
        metrics.waiting,
        metrics.deploymentQuotaUsed
      ].map(({ name }) => prometheusName(name)),
      [
        "gen_ai.client.operation.duration_seconds",
        "gen_ai.client.token.usage",
        "infermesh.request.cost_usd_total",
        "infermesh.attempts_total",
        "infermesh.client.waiting",
        "infermesh.deployment.quota.used"
      ]
    )
    assert.strictEqual(prometheusName("http.server.requests"), "http.server.requests")
  })

  it.effect("they read as its users expect", () =>
    fresh(
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(Inference.generate("x"))
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(fiber)
        const text = yield* PrometheusMetrics.format({ metricNameMapper: prometheusName })
        const lines = text.split("\n")
        const request =
          'gen_ai_operation_name="chat",gen_ai_provider_name="test",gen_ai_request_model="model"'
        const expected = [
          `# HELP gen_ai_client_operation_duration_seconds ${metrics.duration.description}`,
          "# TYPE gen_ai_client_operation_duration_seconds histogram",
          `gen_ai_client_operation_duration_seconds_bucket{${request},le="0.64"} 0`,
          `gen_ai_client_operation_duration_seconds_bucket{${request},le="1.28"} 1`,
          `gen_ai_client_operation_duration_seconds_bucket{${request},le="+Inf"} 1`,
          `gen_ai_client_operation_duration_seconds_sum{${request}} 1`,
          `gen_ai_client_operation_duration_seconds_count{${request}} 1`,
          "# TYPE infermesh_attempts_total counter",
          'infermesh_attempts_total{gen_ai_operation_name="chat",infermesh_deployment="test/model",infermesh_attempt_outcome="answered"} 1',
          "# TYPE infermesh_client_in_flight gauge",
          "infermesh_client_in_flight 0",
          'infermesh_client_quota_limit{infermesh_quota_name="rpm"} 10',
          'infermesh_deployment_health{infermesh_deployment="test/model",infermesh_deployment_state="healthy"} 1'
        ]
        for (const line of expected) assert.include(lines, line)
      }).pipe(
        Effect.provide(
          TestClient.layer(
            { limits: { rpm: 10 }, deployments: { "test/model": { model: "test/model" } } },
            { latency: "1 second" }
          )
        )
      )
    )
  )
})

describe("docs/observability.md", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../docs/observability.md"), "utf8")

  /** The rows of the table whose first column has this title, without their padding. */
  const rows = (title: string): ReadonlyArray<ReadonlyArray<string>> => {
    const lines = text.split("\n")
    const start = lines.findIndex((line) => new RegExp(`^\\| ${title} +\\|`).test(line))
    assert.isAbove(start, 0, `there is no table of ${title}s`)
    const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"))
    return lines.slice(start + 2, end).map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim())
    )
  }

  const code = (word: string) => `\`${word}\``

  it("has the table of metrics as it is in the code", () => {
    const expected = table.map(({ description, kind, labels: own, name, unit }) => [
      code(name),
      kind,
      code(unit),
      own.map(code).join(", "),
      description
    ])
    const row = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`
    // The failure shows the rows that belong into the document.
    assert.strictEqual(rows("name").map(row).join("\n"), expected.map(row).join("\n"))
  })

  it("tells the values of every label", () => {
    assert.deepStrictEqual(
      rows("label").map(([label]) => label),
      Object.values(labels).map(code)
    )
    const used = new Set(table.flatMap((definition) => definition.labels))
    assert.deepStrictEqual([...used].toSorted(), Object.values(labels).toSorted())
  })

  it.effect("tells every attribute and event of spans", () =>
    Effect.gen(function* () {
      const documented = rows("attribute").map(([name = ""]) => name.replaceAll("`", ""))
      const isDocumented = (name: string) =>
        documented.some((one) =>
          one.endsWith("*") ? name.startsWith(one.slice(0, -1)) : one === name
        )
      const events = rows("event").map(([name = ""]) => name.replaceAll("`", ""))
      const spans = yield* spansOf(work)
      assert.isAbove(spans.length, 8)
      for (const span of spans) {
        const inEvents = eventsOf(span).flatMap(({ attributes }) => Object.keys(attributes))
        for (const name of [...Object.keys(attributesOf(span)), ...inEvents])
          assert.isTrue(isDocumented(name), name)
        for (const { name } of eventsOf(span)) assert.include(events, name)
      }
    }).pipe(Effect.provide(busy))
  )
})
