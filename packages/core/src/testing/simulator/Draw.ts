/**
 * Random draws that depend on a seed and on what is asked, never on when or in which order it is asked.
 *
 * It is not the program's `Random` service: that one is a sequence, so two requests that change places would change
 * answers.
 *
 * @since 0.1.0
 */

/**
 * A running hash of text: 64 bits, of which 53 are given out.
 *
 * **Source**: cyrb53 by bryc (public domain, github.com/bryc/code, jshash/experimental/cyrb53.js), fed piece by piece.
 *
 * @category models
 * @since 0.1.0
 */
export class Fingerprint {
  private left = 0xdeadbeef
  private right = 0x41c6ce57

  add(text: string): this {
    let left = this.left
    let right = this.right
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      left = Math.imul(left ^ code, 2654435761)
      right = Math.imul(right ^ code, 1597334677)
    }
    // A separator outside of UTF-16, so that the borders between pieces count.
    this.left = Math.imul(left ^ 0x10000, 2654435761)
    this.right = Math.imul(right ^ 0x10000, 1597334677)
    return this
  }

  addBytes(bytes: Uint8Array): this {
    let left = this.left
    let right = this.right
    for (let index = 0; index < bytes.length; index++) {
      left = Math.imul(left ^ bytes[index]!, 2654435761)
      right = Math.imul(right ^ bytes[index]!, 1597334677)
    }
    this.left = left
    this.right = right
    return this.add("")
  }

  /** The hash as a whole number below 2^53. */
  get value(): number {
    let left = this.left
    let right = this.right
    left =
      Math.imul(left ^ (left >>> 16), 2246822507) ^ Math.imul(right ^ (right >>> 13), 3266489909)
    right =
      Math.imul(right ^ (right >>> 16), 2246822507) ^ Math.imul(left ^ (left >>> 13), 3266489909)
    return 4294967296 * (right & 0x1fffff) + (left >>> 0)
  }
}

/**
 * A sequence of pseudo-random numbers.
 *
 * **Source**: xoshiro128** by Blackman and Vigna (public domain, prng.di.unimi.it), its state filled by splitmix32 with
 * the mixing constants of Wellons' hash-prospector (public domain).
 *
 * @category models
 * @since 0.1.0
 */
export class Draw {
  private a = 0
  private b = 0
  private c = 0
  private d = 0

  /** `purpose` keeps the draws for one thing (the text, the latency, …) apart from those for another. */
  constructor(seed: number, hash: number, purpose: string, ordinal: number) {
    let state = seed | 0
    const mix = (word: number): number => {
      state = (state ^ word) | 0
      state = (state + 0x9e3779b9) | 0
      let mixed = state ^ (state >>> 16)
      mixed = Math.imul(mixed, 0x21f0aaad)
      mixed ^= mixed >>> 15
      mixed = Math.imul(mixed, 0x735a2d97)
      state = mixed ^ (mixed >>> 15)
      return state
    }
    mix(Math.floor(seed / 4294967296))
    mix(hash)
    mix(Math.floor(hash / 4294967296))
    for (let index = 0; index < purpose.length; index++) mix(purpose.charCodeAt(index))
    this.a = mix(ordinal)
    this.b = mix(1)
    this.c = mix(2)
    this.d = mix(3)
    // The all-zero state is the only one the generator never leaves.
    if ((this.a | this.b | this.c | this.d) === 0) this.a = 1
  }

  /** A number of at least 0 and below 1. */
  next(): number {
    const product = Math.imul(this.b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9)
    const shifted = this.b << 9
    this.c ^= this.a
    this.d ^= this.b
    this.b ^= this.c
    this.a ^= this.d
    this.c ^= shifted
    this.d = (this.d << 11) | (this.d >>> 21)
    return (result >>> 0) / 4294967296
  }

  /** A whole number from `minimum` to `maximum`, both included. */
  between(minimum: number, maximum: number): number {
    return minimum + Math.floor(this.next() * (maximum - minimum + 1))
  }

  /** One of the items. */
  pick<A>(items: readonly [A, ...ReadonlyArray<A>]): A
  pick<A>(items: ReadonlyArray<A>): A | undefined
  pick<A>(items: ReadonlyArray<A>): A | undefined {
    return items[Math.floor(this.next() * items.length)]
  }

  /** A number of the standard normal distribution, by the Box–Muller transform. */
  normal(): number {
    // 1 - next() lies in (0, 1], so the logarithm is finite.
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next())
  }

  /** Letters and digits, for ids. */
  letters(count: number): string {
    let text = ""
    for (let index = 0; index < count; index++) text += alphabet[Math.floor(this.next() * 62)]
    return text
  }
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
