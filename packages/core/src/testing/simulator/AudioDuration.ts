/**
 * How long a recording is: exactly for WAV files, whose header says it, and by its size for compressed ones.
 *
 * It decodes no sound.
 *
 * **Units**: seconds.
 *
 * @since 0.1.0
 */

/** Bytes of one second at 128 kbit/s, a common rate of compressed speech and music. */
const compressedBytesPerSecond = 16_000

/**
 * The duration; `undefined` for a WAV file without a readable header.
 *
 * **Source**: "Multimedia Programming Interface and Data Specifications 1.0" (IBM and Microsoft, 1991), RIFF and WAVE.
 *
 * @category getters
 * @since 0.1.0
 */
export const ofFile = (fileName: string, bytes: Uint8Array): number | undefined =>
  fileName.toLowerCase().endsWith(".wav") ? ofWav(bytes) : bytes.length / compressedBytesPerSecond

const ofWav = (bytes: Uint8Array): number | undefined => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = (at: number): string =>
    at + 4 <= bytes.length ? String.fromCharCode(...bytes.subarray(at, at + 4)) : ""
  if (tag(0) !== "RIFF" || tag(8) !== "WAVE") return undefined
  let bytesPerSecond = 0
  let at = 12
  while (at + 8 <= bytes.length) {
    const size = view.getUint32(at + 4, true)
    const content = at + 8
    if (tag(at) === "fmt " && content + 12 <= bytes.length) {
      bytesPerSecond = view.getUint32(content + 8, true)
    }
    if (tag(at) === "data") {
      // Recorders that write as they go leave a size larger than the file.
      const present = Math.min(size, bytes.length - content)
      return bytesPerSecond === 0 ? undefined : present / bytesPerSecond
    }
    // Chunks begin at even positions.
    at = content + size + (size % 2)
  }
  return undefined
}
