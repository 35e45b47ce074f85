/**
 * A vector out of what a response carries it in: base64 of its bytes, or a JSON array of numbers.
 *
 * It is the hot path of embeddings, so it makes no Schema of the numbers and no object per number. Whether the vectors of a
 * response fit together is core's matter.
 *
 * **Shape**: a `Float32Array` of its own memory, so that keeping one vector keeps no other alive.
 *
 * @since 0.1.0
 */

/** What no character of base64 stands for; the bits above the six that one carries show it in a sum of many. */
const none = 0xff

/** The six bits of each character, by its code. Source: RFC 4648 section 4. */
const sextets = new Uint8Array(256).fill(none)
for (const [value, character] of [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
].entries()) {
  sextets[character.charCodeAt(0)] = value
}

/** The code of the character that stands for 0. */
const zero = 65

/** Whether this machine keeps numbers as the wire does: the least significant byte first. */
const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

const encoder = new TextEncoder()

/** Characters at hand for nearly every vector: base64 of 12,288 numbers. Longer ones get memory of their own. */
const scratch = new Uint8Array(65_536)

/**
 * The vector in base64 of its 32-bit numbers, the least significant byte first; `undefined` where the text is no base64 or
 * its bytes are no whole numbers.
 *
 * **Details**: the characters are read from their bytes, which is twice as fast as from the string, and the four bytes of a
 * number are written where they belong, so nothing is copied.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromBase64 = (text: string): Float32Array | undefined => {
  // Padding says nothing that the length does not say.
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0
  const length = text.length - padding
  const size = Math.floor((length * 3) / 4)
  if (size % 4 !== 0 || length % 4 === 1) return undefined
  const characters = length + 4 <= scratch.length ? scratch : new Uint8Array(length + 4)
  const { read, written } = encoder.encodeInto(text.slice(0, length), characters)
  // Characters beyond ASCII take more bytes than one.
  if (read !== length || written !== length) return undefined
  // Zeros, in place of the padding: what they make lies behind the end of the bytes and is not written.
  characters.fill(zero, length, length + 3)
  const bytes = new Uint8Array(size)
  let seen = 0
  let at = 0
  for (let index = 0; index < length; index += 4) {
    const first = sextets[characters[index] as number] as number
    const second = sextets[characters[index + 1] as number] as number
    const third = sextets[characters[index + 2] as number] as number
    const fourth = sextets[characters[index + 3] as number] as number
    seen |= first | second | third | fourth
    bytes[at++] = (first << 2) | (second >> 4)
    bytes[at++] = (second << 4) | (third >> 2)
    bytes[at++] = (third << 6) | fourth
  }
  if (seen > 63) return undefined
  return isLittleEndian ? new Float32Array(bytes.buffer) : swapped(bytes)
}

const swapped = (bytes: Uint8Array): Float32Array => {
  const view = new DataView(bytes.buffer)
  const vector = new Float32Array(bytes.byteLength / 4)
  for (let index = 0; index < vector.length; index++) {
    vector[index] = view.getFloat32(index * 4, true)
  }
  return vector
}

/**
 * The vector in a list of numbers; `undefined` where it is no list or holds anything else.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromNumbers = (value: unknown): Float32Array | undefined => {
  if (!Array.isArray(value)) return undefined
  const vector = new Float32Array(value.length)
  for (let index = 0; index < vector.length; index++) {
    const component: unknown = value[index]
    if (typeof component !== "number") return undefined
    vector[index] = component
  }
  return vector
}
