/**
 * Vectors as a matrix in NumPy's format, beside rows that say which row of it is whose.
 *
 * **Details**: `numpy.load("vectors.npy", mmap_mode="r")` opens it. A row of the output with `matrix_row` 7 has its vector in the
 * matrix's row 7 (from 0); failed rows have none, so the matrix has as many rows as there are answers, in the order in which
 * they were written. The file can be read while the job runs.
 *
 * **Shape**: `(answers, dimensions)`, little-endian 32-bit floats, row by row.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"

import { because, fileError, FileUnusable, OutputChanged } from "../JobError.ts"
import type { EmbedRow } from "../operation/EmbedRow.ts"
import type { SettledRow } from "../operation/SettledRow.ts"
import { concat } from "../run/Bytes.ts"
import type { Beside } from "./Beside.ts"

/**
 * A matrix at a path, which ends with `.npy` where NumPy shall find it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const matrix = (path: string): Beside<EmbedRow> => ({
  identity: { vectors: "matrix" },
  paths: [path],
  open: Effect.fnUntraced(function* (entries) {
    const fileSystem = yield* FileSystem.FileSystem
    const attempt = <A, R>(work: Effect.Effect<A, PlatformError, R>) =>
      Effect.mapError(work, fileError("write", path))
    const isThere = yield* attempt(fileSystem.exists(path))
    if (!isThere && entries > 0) {
      return yield* because(new OutputChanged({ path, missing: entries, first: [] }))
    }
    const file = yield* attempt(fileSystem.open(path, { flag: isThere ? "r+" : "wx+" }))
    let count = entries
    let dimensions = 0
    const at = (position: number, bytes: Uint8Array) =>
      Effect.andThen(file.seek(BigInt(position), "start"), file.writeAll(bytes))
    if (entries > 0) {
      const head = new Uint8Array(headerBytes)
      yield* attempt(file.read(head, { position: BigInt(0) }))
      dimensions = dimensionsOf(head)
      const { size } = yield* attempt(file.stat)
      if (dimensions === 0 || Number(size) < endOf(entries, dimensions)) {
        return yield* because(new OutputChanged({ path, missing: entries, first: [] }))
      }
      yield* attempt(at(0, header(entries, dimensions)))
    }
    yield* attempt(file.truncate(entries === 0 ? 0 : endOf(entries, dimensions)))
    // The vectors before the header that counts them, so that the file can be read at any time.
    const save = Effect.fnUntraced(function* (vectors: ReadonlyArray<Float32Array>) {
      if (vectors.length === 0) return
      const next = count + vectors.length
      if (count === 0) yield* at(0, header(0, dimensions))
      yield* at(endOf(count, dimensions), concat(vectors.map(bytesOf)))
      yield* at(0, header(next, dimensions))
      yield* file.sync
      count = next
    })

    return {
      write: Effect.fnUntraced(function* (rows) {
        const vectors: Array<Float32Array> = []
        const first = count
        const written = rows.map((row: EmbedRow | SettledRow): EmbedRow => {
          const vector = "embedding" in row ? row.embedding : undefined
          if (vector === undefined) return { ...row, matrixRow: null }
          if (dimensions === 0) dimensions = vector.length
          if (vector.length !== dimensions) return misfit(row, vector.length, dimensions)
          vectors.push(vector)
          return { ...row, embedding: undefined, matrixRow: first + vectors.length - 1 }
        })
        yield* attempt(save(vectors))
        return written.map((row) => ({ row, side: (row.matrixRow ?? -1) + 1 }))
      })
    }
  })
})

/** A vector of another length has no place in a matrix: its row fails, and the vector stays in it. */
const misfit = (row: EmbedRow, length: number, dimensions: number): EmbedRow => ({
  ...row,
  error: `the vector has ${length} dimensions where the matrix has ${dimensions}; it is kept in this row`,
  errorReason: "InvalidResponseError",
  matrixRow: null
})

/** Of the header with its padding; more than the longest shape needs. */
const headerBytes = 128

const endOf = (rows: number, dimensions: number): number => headerBytes + rows * dimensions * 4

/** The header of version 1.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. */
const header = (rows: number, dimensions: number): Uint8Array => {
  const magic = [0x93, ...new TextEncoder().encode("NUMPY"), 1, 0]
  const length = headerBytes - magic.length - 2
  const shape = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${dimensions}), }`
  const text = `${shape.padEnd(length - 1)}\n`
  return new Uint8Array([...magic, length & 0xff, length >> 8, ...new TextEncoder().encode(text)])
}

const dimensionsOf = (head: Uint8Array): number =>
  Number(/'shape': \(\d+, (\d+)\)/.exec(new TextDecoder("latin1").decode(head))?.[1] ?? 0)

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

const bytesOf = (vector: Float32Array): Uint8Array => {
  if (isLittleEndian) return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)
  const view = new DataView(new ArrayBuffer(vector.length * 4))
  for (const [at, value] of vector.entries()) view.setFloat32(at * 4, value, true)
  return new Uint8Array(view.buffer)
}

/**
 * What is wrong with a path for a matrix; `undefined` when nothing is.
 *
 * @category guards
 * @since 0.1.0
 */
export const pathFault = (path: string): FileUnusable | undefined =>
  path.endsWith(".npy")
    ? undefined
    : new FileUnusable({
        path,
        access: "write",
        kind: "other",
        problem: "NumPy finds matrices by the ending .npy; choose a name that has it"
      })
