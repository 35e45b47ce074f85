/**
 * What only the rows of an output tell of a job: how long requests took, one by one, and which deployment answered them.
 *
 * The file is read piece by piece; what is kept does not grow with it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"

/**
 * Figures out of rows.
 *
 * **Units**: milliseconds; each bound is the upper end of its bin, the last one is open.
 *
 * @category models
 * @since 0.1.0
 */
export interface RowFigures {
  readonly latencies: ReadonlyArray<{ readonly upToMillis: number; readonly rows: number }>
  /** Answered rows by deployment. */
  readonly deployments: { readonly [deployment: string]: number }
  readonly retries: number
}

/** Three bins to each power of ten, from 10 ms to 1,000 s. */
const bounds = [
  ...[10, 100, 1000, 10_000, 100_000].flatMap((base) => [base, 2 * base, 5 * base]),
  1_000_000,
  Infinity
]

/**
 * Reads them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = (
  path: string
): Effect.Effect<RowFigures, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const rows = bounds.map(() => 0)
    const deployments: Record<string, number> = {}
    let retries = 0
    yield* fileSystem.stream(path).pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.runForEachArray((lines) =>
        Effect.sync(() => {
          for (const line of lines) {
            const { deployment, millis, retried } = figuresOf(line)
            retries += retried
            if (millis === undefined) continue
            const bin = bounds.findIndex((bound) => millis <= bound)
            rows[bin] = (rows[bin] ?? 0) + 1
            if (deployment !== undefined)
              deployments[deployment] = (deployments[deployment] ?? 0) + 1
          }
        })
      )
    )
    const latencies = bounds.map((upToMillis, bin) => ({ upToMillis, rows: rows[bin] ?? 0 }))
    return { latencies, deployments, retries }
  })

interface Figures {
  readonly millis: number | undefined
  readonly deployment: string | undefined
  readonly retried: number
}

const none: Figures = { millis: undefined, deployment: undefined, retried: 0 }

const figuresOf = (line: string): Figures => {
  const row = parse(line)
  const metrics = row?.metrics
  if (typeof metrics !== "object" || metrics === null) return none
  const seconds = metrics["end_to_end_s"]
  const { deployment, retries } = metrics
  return {
    // A row that failed took as long as its retries did: it is no latency of an answer.
    millis:
      typeof seconds === "number" && (row?.error === undefined || row.error === null)
        ? seconds * 1000
        : undefined,
    deployment: typeof deployment === "string" ? deployment : undefined,
    retried: typeof retries === "number" ? retries : 0
  }
}

interface Row {
  readonly error?: unknown
  readonly metrics?: { readonly [name: string]: unknown } | null
}

/** A torn last line of a job that was killed is no row. */
const parse = (line: string): Row | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
