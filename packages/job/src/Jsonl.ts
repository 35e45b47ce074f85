/**
 * JSON Lines, read as they come and written whole.
 *
 * Reading never ends a run: a line that is no JSON is an element of its own, with its number. Writing takes whole lines only,
 * so that a file that was interrupted holds valid rows and nothing else.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"

/**
 * One line of input that is not blank.
 *
 * @category models
 * @since 0.1.0
 */
export interface Line {
  /** Position among the lines that are not blank, from 0. */
  readonly index: number
  /** Number of the line in the file, from 1. */
  readonly line: number
  /** The row, or what is wrong with the line. */
  readonly row: Result.Result<unknown, string>
}

/**
 * The lines of bytes: UTF-8 with or without a byte-order mark, ended by `\\n` or `\\r\\n`, blank lines passed over.
 *
 * @category decoding
 * @since 0.1.0
 */
export const lines = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Line, E, R> =>
  Stream.suspend(() => {
    let line = 0
    let index = 0
    return splitBytes(bytes).pipe(
      Stream.map((raw): ReadonlyArray<Line> => {
        line++
        if (isBlank(raw)) return []
        return [{ index: index++, line, row: Result.flatMap(decode(raw), parse) }]
      }),
      Stream.flattenIterable
    )
  })

/**
 * How many lines `lines` would give, without reading what is in them.
 *
 * @category decoding
 * @since 0.1.0
 */
export const count = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>): Effect.Effect<number, E, R> =>
  Stream.runFold(
    splitBytes(bytes),
    () => 0,
    (total, raw) => (isBlank(raw) ? total : total + 1)
  )

/** Decided by the bytes where it can be: only a line of nothing but white space and characters beyond ASCII is decoded. */
const isBlank = (raw: Uint8Array): boolean => {
  let beyondAscii = false
  for (const byte of raw) {
    if (byte >= 128) beyondAscii = true
    else if (byte !== 32 && (byte < 9 || byte > 13)) return false
  }
  if (!beyondAscii) return true
  const text = decode(raw)
  return Result.isSuccess(text) && text.success === ""
}

const parse = (text: string): Result.Result<unknown, string> => {
  try {
    return Result.succeed(JSON.parse(text))
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : "unreadable"
    return Result.fail(`the line is no JSON (${problem.replaceAll(/\s+/g, " ").slice(0, 120)})`)
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true })

/** The line as text, without the white space around it, of which a byte-order mark is one. */
const decode = (bytes: Uint8Array): Result.Result<string, string> => {
  try {
    return Result.succeed(decoder.decode(bytes).trim())
  } catch {
    return Result.fail("the line is no valid UTF-8")
  }
}

const newline = 10

/** Cuts at `\n`, before decoding: a character may be spread over two pieces, a line end may not. */
const splitBytes = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, E, R> =>
  Stream.suspend(() => {
    let open: Array<Uint8Array> = []
    const close = (piece: Uint8Array): Uint8Array => {
      if (open.length === 0) return piece
      const whole = concat([...open, piece])
      open = []
      return whole
    }
    return bytes.pipe(
      Stream.map((piece) => {
        const found: Array<Uint8Array> = []
        let start = 0
        for (let at = piece.indexOf(newline); at !== -1; at = piece.indexOf(newline, start)) {
          found.push(close(piece.subarray(start, at)))
          start = at + 1
        }
        if (start < piece.length) open.push(piece.subarray(start))
        return found
      }),
      Stream.concat(
        Stream.suspend(() => (open.length === 0 ? Stream.empty : Stream.succeed([concat(open)])))
      ),
      Stream.flattenIterable
    )
  })

const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

/**
 * Writes lines in the order they are given to it, or in the order of their positions.
 *
 * @category models
 * @since 0.1.0
 */
export interface Writer<E> {
  readonly ordered: boolean
  /** Returns when the line, and those given while the last write was under way, are written. */
  readonly write: (index: number, line: string) => Effect.Effect<void, E>
}

/**
 * A writer over something that appends text. Lines given at once are written at once; when the scope closes, what was held
 * back for order is written too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeWriter = Effect.fnUntraced(function* <E>(options: {
  readonly append: (text: string) => Effect.Effect<void, E>
  readonly ordered: boolean
}): Effect.fn.Return<Writer<E>, never, Scope.Scope> {
  const turn = yield* Semaphore.make(1)
  let ready: Array<string> = []
  const held = new Map<number, string>()
  let next = 0
  const flush = turn.withPermit(
    Effect.suspend(() => {
      if (ready.length === 0) return Effect.void
      const text = ready.join("")
      ready = []
      return options.append(text)
    })
  )
  yield* Effect.addFinalizer(() => {
    // Better out of order than lost: every row has its index.
    ready.push(...[...held].toSorted(([left], [right]) => left - right).map(([, line]) => line))
    held.clear()
    return Effect.ignore(flush)
  })
  return {
    ordered: options.ordered,
    write: (index, line) =>
      Effect.uninterruptible(
        Effect.suspend(() => {
          if (!options.ordered) ready.push(line)
          else {
            held.set(index, line)
            for (let due = held.get(next); due !== undefined; due = held.get(next)) {
              ready.push(due)
              held.delete(next++)
            }
          }
          return flush
        })
      )
  }
})
