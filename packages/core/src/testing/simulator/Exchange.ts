/**
 * What goes into and comes out of a simulated server: a request, and the several ways a connection may end.
 *
 * It is plain data: no socket, no `HttpClient`. The two faces of the simulator (HTTP and in process) translate it.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"

/**
 * A request as it reaches the server.
 *
 * @category models
 * @since 0.1.0
 */
export interface SimulatedRequest {
  /** Upper case. */
  readonly method: string
  /** Path and query, without the origin. */
  readonly path: string
  /** By lower-case name. */
  readonly headers: { readonly [name: string]: string | undefined }
  /** Text where the content is text, bytes for multipart forms. */
  readonly body: string | Uint8Array
}

/**
 * Why a body ends before its end: the server dropped the connection on purpose.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionCut {
  readonly _tag: "ConnectionCut"
}

/**
 * The one value of {@link ConnectionCut}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const connectionCut: ConnectionCut = { _tag: "ConnectionCut" }

/**
 * A response with a status line, headers and a body.
 *
 * **Errors**: a streamed body fails with `ConnectionCut` where the connection is to be dropped.
 *
 * @category models
 * @since 0.1.0
 */
export interface SimulatedResponse {
  readonly _tag: "Response"
  readonly status: number
  /** By lower-case name. */
  readonly headers: { readonly [name: string]: string }
  readonly body: string | Stream.Stream<Uint8Array, ConnectionCut>
}

/**
 * The connection is reset before any byte of a response.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reset {
  readonly _tag: "Reset"
}

/**
 * A response whose headers promise more than is sent before the connection is dropped.
 *
 * @category models
 * @since 0.1.0
 */
export interface Truncated {
  readonly _tag: "Truncated"
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  /** The part that is sent. */
  readonly body: string
  /** The `content-length` that is sent, in bytes. */
  readonly declaredBytes: number
}

/**
 * No response ever comes. The face keeps the connection open by running `wait` until the client gives up.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hang {
  readonly _tag: "Hang"
  readonly wait: Effect.Effect<never>
}

/**
 * Every way a simulated exchange can end.
 *
 * @category models
 * @since 0.1.0
 */
export type SimulatedOutcome = SimulatedResponse | Reset | Truncated | Hang
