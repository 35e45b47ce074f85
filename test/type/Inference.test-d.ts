// Checked by the compiler: what programs that call infermesh have in their types.
import type { BatchResult } from "@infermesh/core/batch/BatchResult"
import * as Inference from "@infermesh/core/Inference"
import type { InferenceError } from "@infermesh/core/InferenceError"
import type { GenerationResult } from "@infermesh/core/operation/Generate"
import type { Effect } from "effect"
import { Schema } from "effect"
import { expectTypeOf } from "vitest"

const Summary = Schema.Struct({ headline: Schema.String })

expectTypeOf(Inference.generate("x")).toEqualTypeOf<
  Effect.Effect<GenerationResult, InferenceError, Inference.Inference>
>()
expectTypeOf(Inference.generate("x", { temperature: 0 })).toEqualTypeOf<
  Effect.Effect<GenerationResult, InferenceError, Inference.Inference>
>()
expectTypeOf(Inference.generate("x", { output: Summary })).toEqualTypeOf<
  Effect.Effect<
    GenerationResult<{ readonly headline: string }>,
    InferenceError,
    Inference.Inference
  >
>()
expectTypeOf(Inference.generate("x", { output: { type: "object" } })).toEqualTypeOf<
  Effect.Effect<GenerationResult<unknown>, InferenceError, Inference.Inference>
>()
expectTypeOf(Inference.generateBatch(["x"], { mode: "failFast" })).toEqualTypeOf<
  Effect.Effect<BatchResult<GenerationResult, never>, InferenceError, Inference.Inference>
>()
expectTypeOf(Inference.generateBatch(["x"], { output: Summary })).toEqualTypeOf<
  Effect.Effect<
    BatchResult<GenerationResult<{ readonly headline: string }>, InferenceError>,
    InferenceError,
    Inference.Inference
  >
>()
// @ts-expect-error a temperature is a number
expectTypeOf(Inference.generate("x", { temperature: "hot" })).toBeObject()
// @ts-expect-error there is no such option
expectTypeOf(Inference.generate("x", { temprature: 1 })).toBeObject()
