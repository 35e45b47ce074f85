/**
 * What is to become of a request, before anybody looks at the quota: the script's word, or else a draw.
 *
 * @since 0.1.0
 */
import type { Draw } from "./Draw.ts"
import * as Fault from "./Fault.ts"
import type { ScriptEntry, SimulatorOptions } from "./SimulatorOptions.ts"
import type { WireError } from "./WireFormat.ts"

/**
 * The fate of a request: an answer (perhaps with a fault in it or on its way), an error status, or a response that the
 * script wrote out.
 *
 * @category models
 * @since 0.1.0
 */
export type Fate =
  | { readonly _tag: "Answer"; readonly fault: Fault.FaultKind | undefined }
  | { readonly _tag: "Error"; readonly fault: Fault.FaultKind; readonly error: WireError }
  | {
      readonly _tag: "Own"
      readonly status: number
      readonly headers: { readonly [name: string]: string }
      readonly body: string
    }

/**
 * Decides the fate of the request at a position of the script.
 *
 * **Details**: `streamError` befalls streamed requests only; others are answered.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decide = (
  options: SimulatorOptions,
  position: number,
  stream: boolean,
  draw: () => Draw
): Fate => {
  const entry = options.script[position]
  if (entry !== undefined) return scripted(entry, options, stream)
  return befall(Fault.choose(options.faults, draw()), options.retryAfterMillis, stream)
}

const scripted = (entry: ScriptEntry, options: SimulatorOptions, stream: boolean): Fate => {
  if (entry === "answer") return { _tag: "Answer", fault: undefined }
  if (typeof entry === "string") return befall(entry, options.retryAfterMillis, stream)
  if ("fault" in entry) {
    return befall(entry.fault, entry.retryAfterMillis ?? options.retryAfterMillis, stream)
  }
  const { body, headers, status } = entry
  return { _tag: "Own", status, headers: headers ?? {}, body }
}

const befall = (
  fault: Fault.FaultKind | undefined,
  retryAfterMillis: number,
  stream: boolean
): Fate => {
  if (fault === undefined || (fault === "streamError" && !stream)) {
    return { _tag: "Answer", fault: undefined }
  }
  const error = Fault.errorOf(fault, retryAfterMillis)
  return error === undefined ? { _tag: "Answer", fault } : { _tag: "Error", fault, error }
}
