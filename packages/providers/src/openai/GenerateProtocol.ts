/**
 * What the endpoints that generate text have in common: a body, and an answer, whole or as events.
 *
 * It opens no connection (`OpenAi` does); each endpoint's own format is in its protocol.
 *
 * @since 0.1.0
 */
import type { GenerateRequest, Generation } from "@infermesh/core/operation/Generate"
import type { Answer, AttemptError, GenerationPart } from "@infermesh/core/provider/Provider"
import type * as Result from "effect/Result"
import type * as Stream from "effect/Stream"

import type { Json } from "../RequestBody.ts"
import type * as ResponseBody from "../ResponseBody.ts"
import type { Dialect } from "./Dialect.ts"

/**
 * One of the endpoints that generate text: what it sends and how it is read.
 *
 * @category models
 * @since 0.1.0
 */
export interface GenerateProtocol {
  /** Below the base URL: `/chat/completions`. */
  readonly path: string
  /** The body but for `model` and what the deployment adds. */
  readonly encode: (request: GenerateRequest, dialect: Dialect) => Result.Result<Json, AttemptError>
  /** What asks for a stream, put over the body: `{ stream: true, … }`. */
  readonly streamFields: (dialect: Dialect) => Json
  /** The answer in a whole response. */
  readonly answer: (
    text: string,
    context: ResponseBody.Context
  ) => Result.Result<Answer<Generation>, AttemptError>
  /** The parts as they arrive; the whole answer last. */
  readonly stream: (
    events: Stream.Stream<string, AttemptError>,
    context: ResponseBody.Context
  ) => Stream.Stream<GenerationPart | Answer<Generation>, AttemptError>
}
