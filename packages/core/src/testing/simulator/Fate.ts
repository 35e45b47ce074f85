/**
 * What is to become of a request, before anybody looks at the quota: the script's word, or else a draw.
 *
 * @since 0.1.0
 */
import type { Draw } from "./Draw.ts"
import * as Fault from "./Fault.ts"
import type { ScriptEntry, SimulatorOptions } from "./SimulatorOptions.ts"
import type { Vendor, WireError } from "./Vendor.ts"
import type { WireFormat } from "./WireFormat.ts"

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
 * **Details**: `streamError` befalls streamed requests only, and a fault in the content only formats that can have it; other
 * requests are answered.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decide = (
  options: SimulatorOptions,
  format: WireFormat,
  position: number,
  stream: boolean,
  draw: () => Draw
): Fate => {
  const entry = options.script[position] ?? Fault.choose(options.faults, draw())
  if (entry === undefined || entry === "answer") return { _tag: "Answer", fault: undefined }
  if (typeof entry === "object" && "status" in entry) return own(entry)
  const { fault, retryAfterMillis = options.retryAfterMillis } =
    typeof entry === "string" ? { fault: entry } : entry
  if (Fault.isStatusFault(fault)) {
    return { _tag: "Error", fault, error: errorOf(format.vendor, fault, retryAfterMillis) }
  }
  return { _tag: "Answer", fault: canBefall(fault, format, stream) ? fault : undefined }
}

const own = (entry: Extract<ScriptEntry, { readonly status: number }>): Fate => {
  const { body, headers, status } = entry
  return { _tag: "Own", status, headers: headers ?? {}, body }
}

const errorOf = (vendor: Vendor, fault: Fault.StatusFault, retryAfterMillis: number): WireError =>
  fault === "rateLimited" ? { ...vendor.faults[fault], retryAfterMillis } : vendor.faults[fault]

const canBefall = (fault: Fault.FaultKind, format: WireFormat, stream: boolean): boolean => {
  if (fault === "streamError") return stream
  return !Fault.isContentFault(fault) || format.contentFaults.includes(fault)
}
