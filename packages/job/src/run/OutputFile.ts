/**
 * A file that only grows at its end, a group of whole lines at a time, each group on the disk before the next.
 *
 * A group that could not be written whole is taken back, so that the file always ends with a whole line while it is in our hands.
 *
 * **Units**: bytes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

import type { JobError } from "../JobError.ts"
import { fileError } from "../JobError.ts"
import type { Mark } from "../Ledger.ts"
import { concat } from "./Bytes.ts"

/**
 * A file that is open.
 *
 * @category models
 * @since 0.1.0
 */
export class OutputFile {
  readonly path: string
  readonly #file: FileSystem.File
  #size: number

  constructor(path: string, file: FileSystem.File, size: number) {
    this.path = path
    this.#file = file
    this.#size = size
  }

  get size(): number {
    return this.#size
  }

  /** Returns when the bytes are on the disk, or, where that is not needed yet, with the system. */
  append(bytes: Uint8Array, isDurable = true): Effect.Effect<void, JobError> {
    if (bytes.length === 0) return Effect.void
    return this.#file.writeAll(bytes).pipe(
      Effect.andThen(isDurable ? this.#file.sync : Effect.void),
      Effect.tapError(() => Effect.ignore(this.#file.truncate(this.#size))),
      Effect.mapError(fileError("write", this.path)),
      Effect.andThen(
        Effect.sync(() => {
          this.#size += bytes.length
        })
      )
    )
  }

  sync(): Effect.Effect<void, JobError> {
    return Effect.mapError(this.#file.sync, fileError("write", this.path))
  }

  /** Cuts the file off. */
  truncate(size: number): Effect.Effect<void, JobError> {
    return Effect.andThen(this.#file.truncate(size), this.#file.sync).pipe(
      Effect.mapError(fileError("write", this.path)),
      Effect.andThen(
        Effect.sync(() => {
          this.#size = size
        })
      )
    )
  }

  /** The bytes from one position to another; fewer when the file ends before. */
  read(from: number, to: number): Effect.Effect<Uint8Array, JobError> {
    const bytes = new Uint8Array(Math.max(0, to - from))
    const fill = (filled: number): Effect.Effect<number, PlatformError> =>
      filled === bytes.length
        ? Effect.succeed(filled)
        : Effect.flatMap(
            this.#file.read(bytes.subarray(filled), { position: BigInt(from + filled) }),
            (count) => (count === 0 ? Effect.succeed(filled) : fill(filled + count))
          )
    return fill(0).pipe(
      Effect.map((filled) => bytes.subarray(0, filled)),
      Effect.mapError(fileError("read", this.path))
    )
  }

  /** The bytes from a position to the present end, a mebibyte at a time. */
  stream(from: number): Stream.Stream<Uint8Array, JobError> {
    return Stream.unfold(from, (at) =>
      at >= this.#size
        ? Effect.succeed(undefined)
        : Effect.map(this.read(at, Math.min(this.#size, at + pieceBytes)), (bytes) =>
            bytes.length === 0 ? undefined : ([bytes, at + bytes.length] as const)
          )
    )
  }

  /** The position behind the last line end before a position; 0 when there is none. */
  lineStart(position: number): Effect.Effect<number, JobError> {
    const from = Math.max(0, position - searchedBytes)
    return Effect.flatMap(this.read(from, position), (bytes) => {
      const at = bytes.lastIndexOf(newline)
      if (at !== -1) return Effect.succeed(from + at + 1)
      return from === 0 ? Effect.succeed(0) : this.lineStart(from)
    })
  }

  /** What is at the end of the file, which has to be a line's end. */
  lastLine(): Effect.Effect<Mark["lastLine"], JobError> {
    return Effect.flatMap(this.lineStart(Math.max(0, this.#size - 1)), (from) =>
      Effect.map(this.read(from, Math.min(this.#size, from + startBytes)), (bytes) => ({
        bytes: this.#size - from,
        start: String.fromCharCode(...bytes)
      }))
    )
  }
}

const newline = 10
const pieceBytes = 1024 * 1024
const searchedBytes = 64 * 1024
/** So much of a line's beginning is kept: it has the row's position. */
const startBytes = 64

/**
 * The last of whole lines.
 *
 * @category getters
 * @since 0.1.0
 */
export const lastLineOf = (bytes: Uint8Array): Mark["lastLine"] => {
  const last = bytes.subarray(bytes.lastIndexOf(newline, -2) + 1)
  return { bytes: last.length, start: String.fromCharCode(...last.subarray(0, startBytes)) }
}

/**
 * Opens a file for appending; `isNew` fails when there is one already.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function* (
  path: string,
  options: { readonly isNew?: boolean | undefined } = {}
): Effect.fn.Return<OutputFile, JobError, FileSystem.FileSystem | Scope.Scope> {
  const fileSystem = yield* FileSystem.FileSystem
  const opened = Effect.gen(function* () {
    const file = yield* fileSystem.open(path, { flag: options.isNew === true ? "ax+" : "a+" })
    return new OutputFile(path, file, Number((yield* file.stat).size))
  })
  return yield* Effect.mapError(opened, fileError("write", path))
})

/**
 * Puts a folder's entries on the disk, after a file was made or renamed in it; where the system has no such thing, nothing.
 *
 * @category effects
 * @since 0.1.0
 */
export const syncFolder = (folder: string): Effect.Effect<void, never, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
    fileSystem.open(folder, { flag: "r" }).pipe(
      Effect.flatMap((handle) => handle.sync),
      Effect.scoped,
      Effect.ignore
    )
  )

/**
 * A line of a file and where it is, its line end counted.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutputLine {
  /** How many lines there are before it, from where they are read. */
  readonly number: number
  readonly from: number
  readonly bytes: number
  readonly text: string
}

/**
 * The lines of a file from a position to its end, which has to be a line's end.
 *
 * @category decoding
 * @since 0.1.0
 */
export const lines = (
  file: OutputFile,
  from = 0
): Stream.Stream<ReadonlyArray<OutputLine>, JobError> =>
  Stream.suspend(() => {
    const decoder = new TextDecoder()
    let at = from
    let number = 0
    let open: ReadonlyArray<Uint8Array> = []
    return Stream.map(file.stream(from), (piece) => {
      const found: Array<OutputLine> = []
      let start = 0
      for (let end = piece.indexOf(newline); end !== -1; end = piece.indexOf(newline, start)) {
        const last = piece.subarray(start, end + 1)
        const bytes = open.length === 0 ? last : concat([...open, last])
        found.push({ number: number++, from: at, bytes: bytes.length, text: decoder.decode(bytes) })
        at += bytes.length
        open = []
        start = end + 1
      }
      if (start < piece.length) open = [...open, piece.subarray(start)]
      return found
    })
  })
