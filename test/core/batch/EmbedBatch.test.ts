import { assert, describe, it } from "@effect/vitest"
import * as EmbedBatch from "@infermesh/core/batch/EmbedBatch"
import { pack } from "@infermesh/core/batch/Packing"
import { Effect, Result, Schema, Stream } from "effect"

describe("packed", () => {
  const between = (minimum: number, maximum: number) =>
    Schema.Int.check(Schema.isBetween({ minimum, maximum }))
  const lengths = Schema.Array(between(0, 60))
  const limits = Schema.Struct({ texts: between(1, 9), tokens: between(1, 30) })
  const itemsOf = (all: ReadonlyArray<number>) =>
    all.map((length, index) => EmbedBatch.item(index, "x".repeat(length)))

  it.effect.prop(
    "makes the same packs however the texts arrive",
    [lengths, limits, between(1, 20)],
    ([all, limit, chunk]) =>
      Effect.gen(function* () {
        const items = itemsOf(all)
        const packs = yield* Stream.fromIterable(items).pipe(
          Stream.rechunk(chunk),
          (stream) => EmbedBatch.packed(stream, limit),
          Stream.runCollect
        )
        assert.deepStrictEqual(
          packs,
          pack(items, ({ bytes }) => Math.ceil(bytes / 4), limit)
        )
      })
  )

  it.effect("holds no full pack back until the next text comes", () =>
    Effect.gen(function* () {
      let taken = 0
      const texts = Stream.fromIterable(itemsOf([1, 1, 1, 1, 1]), { chunkSize: 1 }).pipe(
        Stream.tap(() => Effect.sync(() => taken++))
      )
      yield* EmbedBatch.packed(texts, { texts: 2, tokens: 100 }).pipe(
        Stream.take(1),
        Stream.runDrain
      )
      assert.strictEqual(taken, 2)
    })
  )
})

describe("packLimits", () => {
  it("has defaults, and refuses what is no whole number of at least 1, naming it", () => {
    assert.deepStrictEqual(
      EmbedBatch.packLimits({}),
      Result.succeed({ texts: 32, tokens: 270_000 })
    )
    for (const input of ["microBatchSize", "maxTokensPerRequest"]) {
      for (const value of [0, -1, 1.5, Number.NaN, Infinity]) {
        const result = EmbedBatch.packLimits({ [input]: value })
        assert.strictEqual(Result.isFailure(result) ? result.failure.input : "", input)
      }
    }
  })
})

describe("packLimits of a provider", () => {
  const provider = { texts: 100, tokens: 1000 }

  it("are never passed, whatever the batch says, and a tenth of the tokens is left for estimates", () => {
    const limits = (options: object) => Result.getOrThrow(EmbedBatch.packLimits(options, provider))
    assert.deepStrictEqual(limits({}), { texts: 32, tokens: 900 })
    assert.deepStrictEqual(limits({ microBatchSize: 500, maxTokensPerRequest: 5000 }), provider)
    assert.deepStrictEqual(limits({ microBatchSize: 5, maxTokensPerRequest: 950 }), {
      texts: 5,
      tokens: 950
    })
  })
})

describe("item", () => {
  it("measures a text in UTF-8 and says what is wrong with one that cannot be sent", () => {
    assert.deepStrictEqual(EmbedBatch.item(3, "aé😀"), {
      index: 3,
      text: "aé😀",
      problem: undefined,
      bytes: 7
    })
    const none: unknown = null
    assert.match(EmbedBatch.item(0, none as string).problem ?? "", /it is null, not a string/)
    assert.match(EmbedBatch.item(0, "").problem ?? "", /it is empty/)
  })
})
