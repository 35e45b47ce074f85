/**
 * The body of a response while it arrives: collected for who wants it whole, pulled by who wants it piece by piece.
 *
 * It holds back the socket when nobody reads what has arrived. It knows no HTTP beyond pieces, an end and a fault.
 *
 * @since 0.1.0
 */
import { Buffer } from "node:buffer"

import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type { Dispatcher } from "undici"

/** Bytes that may lie here unread before the socket is held back. */
const mostUnread = 128 * 1024

type Pieces = readonly [Buffer, ...Array<Buffer>]

/**
 * The body of a response.
 *
 * @category models
 * @since 0.1.0
 */
export class IncomingBody {
  readonly #controller: Dispatcher.DispatchController
  #pieces: Array<Buffer> = []
  #bytes = 0
  #isWhole = false
  #isEnded = false
  #fault: unknown = undefined
  #isRead = false
  #reader: (() => void) | undefined

  constructor(controller: Dispatcher.DispatchController) {
    this.#controller = controller
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#bytes += piece.length
    if (!this.#isWhole && this.#bytes > mostUnread) {
      this.#controller.pause()
      if (!this.#isRead) abandoned.register(this, this.#controller, this)
    }
    if (!this.#isWhole) this.#wake()
  }

  end(): void {
    this.#isEnded = true
    this.#wake()
  }

  fail(fault: unknown): void {
    this.#fault = fault ?? new Error("the connection broke")
    this.#isEnded = true
    this.#wake()
  }

  /** Gives up what has not arrived, and its socket with it. */
  readonly cancel: Effect.Effect<void> = Effect.sync(() => {
    if (!this.#isEnded) this.#controller.abort(new Error("the response is not read to its end"))
  })

  /** All of it; what has been pulled already is gone. Fails with what broke the connection. */
  readonly whole: Effect.Effect<Buffer, unknown> = Effect.suspend(() => {
    this.#isWhole = true
    this.#begin()
    if (this.#isEnded) return this.#collected()
    return Effect.callback<Buffer, unknown>((resume) => {
      this.#reader = () => {
        if (this.#isEnded) resume(this.#collected())
      }
      return this.cancel
    })
  })

  /** What has arrived since the last pull, as soon as there is something. */
  readonly pull: Effect.Effect<Pieces, unknown> = Effect.suspend(() => {
    this.#begin()
    if (this.#pieces.length > 0 || this.#isEnded) return this.#arrived()
    return Effect.callback<Pieces, unknown>((resume) => {
      this.#reader = () => {
        this.#reader = undefined
        resume(this.#arrived())
      }
    })
  })

  #begin(): void {
    if (!this.#isRead) abandoned.unregister(this)
    this.#isRead = true
    this.#controller.resume()
  }

  #wake(): void {
    this.#reader?.()
  }

  #collected(): Effect.Effect<Buffer, unknown> {
    if (this.#fault !== undefined) return Effect.fail(this.#fault)
    const [only] = this.#pieces
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return Effect.succeed(this.#pieces[0] ?? only ?? Buffer.alloc(0))
  }

  #arrived(): Effect.Effect<Pieces, unknown> {
    const [first, ...others] = this.#pieces
    this.#pieces = []
    this.#bytes = 0
    if (first !== undefined) return Effect.succeed([first, ...others])
    return this.#fault === undefined ? Cause.done() : Effect.fail(this.#fault)
  }
}

/** Sockets that are held back for bodies nobody reads are closed when the body is forgotten. */
const abandoned = new FinalizationRegistry<Dispatcher.DispatchController>((controller) => {
  controller.abort(new Error("the response was never read"))
})
