/**
 * A set of row positions at one bit each, in pieces that exist only where something is in them.
 *
 * A million rows take 125 kB; a lone position of a billion takes no more than one piece.
 *
 * @since 0.1.0
 */

const bitsPerPiece = 65_536

/**
 * A set of whole numbers from 0.
 *
 * @category models
 * @since 0.1.0
 */
export class BitSet implements Iterable<number> {
  readonly #pieces = new Map<number, Uint8Array>()
  #size = 0

  /** How many positions are in it. */
  get size(): number {
    return this.#size
  }

  has(position: number): boolean {
    const piece = this.#pieces.get(Math.floor(position / bitsPerPiece))
    if (piece === undefined) return false
    const bit = position % bitsPerPiece
    return ((piece[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0
  }

  /** Adds a position; `false` when it was there already. */
  add(position: number): boolean {
    const key = Math.floor(position / bitsPerPiece)
    let piece = this.#pieces.get(key)
    if (piece === undefined) {
      piece = new Uint8Array(bitsPerPiece / 8)
      this.#pieces.set(key, piece)
    }
    const bit = position % bitsPerPiece
    const before = piece[bit >> 3] ?? 0
    const after = before | (1 << (bit & 7))
    if (after === before) return false
    piece[bit >> 3] = after
    this.#size++
    return true
  }

  /** The positions, from the lowest. */
  *[Symbol.iterator](): Iterator<number> {
    for (const key of [...this.#pieces.keys()].toSorted((left, right) => left - right)) {
      for (const [byte, bits] of (this.#pieces.get(key) ?? []).entries()) {
        for (let bit = 0; bits >> bit > 0; bit++) {
          if (((bits >> bit) & 1) === 1) yield key * bitsPerPiece + byte * 8 + bit
        }
      }
    }
  }
}
