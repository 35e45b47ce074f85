/**
 * Audio to transcribe, as a value: a name, a type and bytes that may still be on disk.
 *
 * It reads nothing by itself: `bytes` is a stream that a provider pulls while it sends. How a path or a Blob becomes one is
 * in `AudioSource`.
 *
 * **Units**: `sizeBytes` in bytes.
 *
 * @since 0.1.0
 */
import type * as Stream from "effect/Stream"

import type { InvalidInput } from "../Reason.ts"

/**
 * Audio ready to be sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Audio {
  /** The base name of the file, never its path; providers tell the format by it. */
  readonly fileName: string
  readonly mediaType: string
  /** The size, where it is known before the bytes are read. */
  readonly sizeBytes: number | undefined
  /** The bytes, from the start each time it is run; fails when they are more than allowed or can no longer be read. */
  readonly bytes: Stream.Stream<Uint8Array, InvalidInput>
}
