/**
 * Pieces of bytes put together.
 *
 * @since 0.1.0
 */

/**
 * The pieces as one; a lone piece is given back as it is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  if (pieces.length === 1) return pieces[0] as Uint8Array
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
