/**
 * The port to a vendor: how a request becomes an answer at one deployment.
 *
 * A provider knows a wire format and its endpoints. It does not retry, wait, choose a deployment or count quota; it makes
 * exactly one HTTP attempt per call and says truthfully what became of it. The registry of all providers is `Providers`.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"

import type { Embeddings, EmbedRequest } from "../operation/Embed.ts"
import type { GenerateRequest, Generation } from "../operation/Generate.ts"
import type { TranscribeRequest, Transcript } from "../operation/Transcribe.ts"
import type { TokenUsage } from "../operation/Usage.ts"
import type { Reason } from "../Reason.ts"
import type { SettingsError } from "../SettingsError.ts"
import type { RateLimitHeaders } from "./ResponseHeaders.ts"

/**
 * Where a provider is to be reached, for one deployment.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target {
  /** The model's name at the provider, without the provider's prefix. */
  readonly model: string
  /** The base URL; the provider's own when absent. */
  readonly apiBase: string | undefined
  /** The key; the provider's environment variable when absent. */
  readonly apiKey: Redacted.Redacted | undefined
  readonly headers: { readonly [name: string]: string }
  /** Further fields of every request body. */
  readonly extraBody: { readonly [name: string]: unknown }
}

/**
 * What one attempt brought back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer<A> {
  readonly value: A
  readonly usage: TokenUsage | undefined
  readonly requestId: string | undefined
  readonly rateLimits: RateLimitHeaders | undefined
  /** The response body, parsed. */
  readonly body: unknown
  /** Seconds of audio that were heard, where the provider says so. */
  readonly audioSeconds?: number | undefined
}

/**
 * Why one attempt failed, and what that means for quota.
 *
 * **Details**: `outcome` says what the provider may have counted. `unsent`: nothing left this process. `refused`: the
 * provider counted a request and did no work. `unknown`: it may have done all the work (a time-out, a cut connection).
 *
 * @category errors
 * @since 0.1.0
 */
export class AttemptError extends Data.TaggedError("AttemptError")<{
  readonly reason: Reason
  readonly outcome: "unsent" | "refused" | "unknown"
  readonly requestId?: string | undefined
  readonly rateLimits?: RateLimitHeaders | undefined
  /** What the failed attempt used, where the provider said so. */
  readonly usage?: TokenUsage | undefined
}> {}

/**
 * A part of a streamed generation.
 *
 * @category models
 * @since 0.1.0
 */
export type GenerationPart =
  | { readonly type: "text-delta"; readonly text: string; readonly choice: number }
  | { readonly type: "reasoning-delta"; readonly text: string; readonly choice: number }
  | {
      readonly type: "tool-call-delta"
      readonly choice: number
      readonly index: number
      readonly id: string | undefined
      readonly name: string | undefined
      readonly arguments: string
    }

/**
 * A connected deployment: one method per operation that the provider supports.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection {
  readonly generate?: (request: GenerateRequest) => Effect.Effect<Answer<Generation>, AttemptError>
  /** Sends the parts as they arrive; the last element is the whole answer. */
  readonly generateStream?: (
    request: GenerateRequest
  ) => Stream.Stream<GenerationPart | Answer<Generation>, AttemptError>
  readonly embed?: (request: EmbedRequest) => Effect.Effect<Answer<Embeddings>, AttemptError>
  /** The most texts and tokens one embedding request may hold at this provider. */
  readonly embedLimits?: { readonly texts: number; readonly tokens: number }
  readonly transcribe?: (
    request: TranscribeRequest
  ) => Effect.Effect<Answer<Transcript>, AttemptError>
  /** A request that costs nothing and shows that the server answers: what an active health check may send. */
  readonly check?: Effect.Effect<void, AttemptError>
}

/**
 * A vendor's protocol.
 *
 * @category models
 * @since 0.1.0
 */
export interface Provider {
  /** The prefix of model strings that select it: `openai` in `openai/gpt-4.1-mini`. */
  readonly name: string
  /** Other names that people try; they select nothing, and the error for them says the right one. */
  readonly aliases?: ReadonlyArray<string> | undefined
  /** Prepares one deployment: checks the settings and builds once what requests share. */
  readonly connect: (target: Target) => Effect.Effect<Connection, SettingsError>
}
