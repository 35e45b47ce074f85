/** Recordings made of nothing, for tests of transcription. */

/** A WAV file of so many seconds: 8 kHz, mono, 8 bits, all silence but for the `mark`. */
export const wav = (seconds: number, mark = 0): Uint8Array<ArrayBuffer> => {
  const rate = 8000
  const size = Math.round(seconds * rate)
  const bytes = new Uint8Array(44 + size)
  const view = new DataView(bytes.buffer)
  const write = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at)
  write(0, "RIFF")
  view.setUint32(4, 36 + size, true)
  write(8, "WAVEfmt ")
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, rate, true)
  view.setUint32(28, rate, true)
  view.setUint16(32, 1, true)
  view.setUint16(34, 8, true)
  write(36, "data")
  view.setUint32(40, size, true)
  bytes.fill(128, 44)
  bytes[bytes.length - 1] = mark
  return bytes
}

/** A form as `multipart/form-data`, by the platform's own encoder. */
export const encode = async (form: FormData) => {
  const encoded = new Response(form)
  return {
    contentType: encoded.headers.get("content-type") ?? "",
    bytes: new Uint8Array(await encoded.arrayBuffer())
  }
}
