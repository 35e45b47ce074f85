/**
 * JSON Lines, read as they come.
 *
 * Reading never ends a run: a line that is no JSON, no UTF-8 or too long is an element of its own, with its number. A line is
 * looked into only when somebody asks for its row, so that lines that are passed over cost next to nothing.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"

import { concat } from "./run/Bytes.ts"

/**
 * One row of input.
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
  /** The line's own text, where the row was read from text. */
  readonly text?: string | undefined
}

/**
 * Longest line that is read, in bytes: far above any prompt, far below what memory holds `concurrency` times.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxLineBytes = 64 * 1024 * 1024

/**
 * The lines of bytes: UTF-8 with or without a byte-order mark, ended by `\\n`, `\\r\\n` or `\\r`, blank lines passed over.
 *
 * **Details**: a longer line than `maxBytes` (default `maxLineBytes`) is a row that cannot be used, and is never held in
 * memory as a whole.
 *
 * @category decoding
 * @since 0.1.0
 */
export const lines = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  options: { readonly maxBytes?: number | undefined } = {}
): Stream.Stream<Line, E, R> =>
  Stream.suspend(() => {
    let line = 0
    let index = 0
    return split(bytes, options.maxBytes).pipe(
      Stream.map((raws) => {
        const filled: Array<Line> = []
        for (const raw of raws) {
          line++
          if (!isBlank(raw)) filled.push(new BytesLine(index++, line, raw))
        }
        return filled
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
    split(bytes),
    () => 0,
    (total, raws) => {
      let sum = total
      for (const raw of raws) if (!isBlank(raw)) sum++
      return sum
    }
  )

/** A line's bytes; only their beginning when it is too long. */
interface RawLine {
  readonly bytes: Uint8Array
  readonly length: number
  readonly isWhole: boolean
}

class BytesLine implements Line {
  readonly index: number
  readonly line: number
  readonly #raw: RawLine
  #row: Result.Result<unknown, string> | undefined = undefined

  constructor(index: number, line: number, raw: RawLine) {
    this.index = index
    this.line = line
    this.#raw = raw
  }

  get row(): Result.Result<unknown, string> {
    return (this.#row ??= read(this.#raw))
  }

  get text(): string {
    const { bytes, isWhole, length } = this.#raw
    const text = lenient.decode(bytes).trim()
    return isWhole ? text : `${text}…${length}`
  }
}

const read = ({ bytes, isWhole, length }: RawLine): Result.Result<unknown, string> =>
  isWhole
    ? Result.flatMap(decode(bytes), parse)
    : Result.fail(`the line is too long to be read (${length} bytes)`)

const lenient = new TextDecoder()
const strict = new TextDecoder("utf-8", { fatal: true })

/** Decided by the bytes where it can be: only a line of nothing but white space and characters beyond ASCII is decoded. */
const isBlank = ({ bytes, isWhole }: RawLine): boolean => {
  if (!isWhole) return false
  let beyondAscii = false
  for (const byte of bytes) {
    if (byte >= 128) beyondAscii = true
    else if (byte !== 32 && (byte < 9 || byte > 13)) return false
  }
  if (!beyondAscii) return true
  const text = decode(bytes)
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

/** The line as text, without the white space around it, of which a byte-order mark is one. */
const decode = (bytes: Uint8Array): Result.Result<string, string> => {
  try {
    return Result.succeed(strict.decode(bytes).trim())
  } catch {
    return Result.fail("the line is no valid UTF-8")
  }
}

const split = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  maxBytes = maxLineBytes
): Stream.Stream<ReadonlyArray<RawLine>, E, R> =>
  Stream.suspend(() => {
    const splitter = new Splitter(maxBytes)
    return Stream.concat(
      Stream.map(bytes, (piece) => splitter.push(piece)),
      Stream.suspend(() => Stream.succeed(splitter.end()))
    )
  })

const lineFeed = 10
const carriageReturn = 13
/** So much is kept of a line that is too long: enough to tell it from others. */
const keptBytes = 1024

/** Cuts at line ends, before decoding: a character may be spread over two pieces, and so may `\r\n`. */
class Splitter {
  readonly #maxBytes: number
  #open: Array<Uint8Array> = []
  #openBytes = 0
  #afterReturn = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  push(piece: Uint8Array): ReadonlyArray<RawLine> {
    const found: Array<RawLine> = []
    let start = this.#afterReturn && piece[0] === lineFeed ? 1 : 0
    if (piece.length > 0) this.#afterReturn = false
    let feed = piece.indexOf(lineFeed, start)
    let back = piece.indexOf(carriageReturn, start)
    while (feed !== -1 || back !== -1) {
      const isBack = back !== -1 && (feed === -1 || back < feed)
      const end = isBack ? back : feed
      found.push(this.#close(piece.subarray(start, end)))
      start = end + 1
      if (isBack) {
        if (start === piece.length) this.#afterReturn = true
        else if (piece[start] === lineFeed) start++
        back = piece.indexOf(carriageReturn, start)
      }
      if (feed !== -1 && feed < start) feed = piece.indexOf(lineFeed, start)
    }
    if (start < piece.length) this.#keep(piece.subarray(start))
    return found
  }

  /** The last line, where no line end follows it. */
  end(): ReadonlyArray<RawLine> {
    return this.#openBytes === 0 ? [] : [this.#close(new Uint8Array())]
  }

  #keep(part: Uint8Array): void {
    this.#openBytes += part.length
    if (this.#openBytes <= this.#maxBytes) this.#open.push(part)
    // A copy, so that the pieces it was part of are let go.
    else if (this.#open.length !== 1 || this.#open[0]?.length !== keptBytes) {
      this.#open = [concat([...this.#open, part]).slice(0, keptBytes)]
    }
  }

  #close(part: Uint8Array): RawLine {
    if (this.#openBytes === 0 && part.length <= this.#maxBytes) {
      return { bytes: part, length: part.length, isWhole: true }
    }
    this.#keep(part)
    const length = this.#openBytes
    const line = { bytes: concat(this.#open), length, isWhole: length <= this.#maxBytes }
    this.#open = []
    this.#openBytes = 0
    return line
  }
}
