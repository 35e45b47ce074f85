/**
 * What an endpoint of OpenAI's API that generates text has to say for itself, so that one file can connect all of them.
 *
 * It is an interface and nothing else: `ChatProtocol`, `CompletionProtocol` and the others are values of it, and `OpenAi`
 * picks one by the request's endpoint, sends what it encodes and gives it what comes back.
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
