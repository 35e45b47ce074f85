/**
 * What a simulated server saw: counters a test asserts on and a benchmark reports.
 *
 * It counts whatever the client did, with or without a quota; it never refuses anything.
 *
 * @since 0.1.0
 */
import type { FaultKind } from "./Fault.ts"
import type { LimitName } from "./ServerQuota.ts"
import { SlidingLog } from "./SlidingLog.ts"

/**
 * The counters since the start or the last reset, as plain JSON.
 *
 * @category models
 * @since 0.1.0
 */
export interface SimulatorStats {
  /** HTTP requests that arrived, of whatever kind. */
  readonly requests: number
  /** Responses with status 200 that were produced to their end, those with broken content among them. */
  readonly answered: number
  /** Requests refused because they were wrong: 400, 401 without the key, 404. */
  readonly rejected: number
  /** Requests refused because the client went over the quota, by the limit that would have taken longest to wait for. */
  readonly violations: { readonly total: number } & { readonly [K in LimitName]: number }
  /** Injected faults by kind; kinds that never happened are absent. */
  readonly faults: { readonly [K in FaultKind]?: number }
  /** Responses given by a script entry of its own status and body. */
  readonly scripted: number
  /** Requests the client gave up on while they were being handled or their body was being sent. */
  readonly aborted: number
  readonly inFlight: number
  readonly peakInFlight: number
  /** Most well-formed requests that arrived within any 60 seconds, refused ones included. */
  readonly peakRequestsPerMinute: number
  /** Most tokens asked for within any 60 seconds: those of prompt and answer, counted at arrival. */
  readonly peakTokensPerMinute: number
  /** Tokens of admitted requests. */
  readonly promptTokens: number
  readonly completionTokens: number
  readonly models: { readonly [model: string]: ModelStats }
}

/**
 * The counters of one model: admitted requests and their tokens.
 *
 * @category models
 * @since 0.1.0
 */
export interface ModelStats {
  readonly requests: number
  readonly promptTokens: number
  readonly completionTokens: number
}

/**
 * The counting itself.
 *
 * @category models
 * @since 0.1.0
 */
export class Statistics {
  private requests = 0
  private answered = 0
  private rejected = 0
  private readonly violations = {
    total: 0,
    rpm: 0,
    tpm: 0,
    itpm: 0,
    otpm: 0,
    rpd: 0,
    tpd: 0
  }
  private readonly faults: { [K in FaultKind]?: number } = {}
  private scripted = 0
  private aborted = 0
  private inFlight = 0
  private peakInFlight = 0
  private readonly minute = { requests: new SlidingLog(60_000), tokens: new SlidingLog(60_000) }
  private peakRequestsPerMinute = 0
  private peakTokensPerMinute = 0
  private promptTokens = 0
  private completionTokens = 0
  private readonly models = new Map<string, { -readonly [K in keyof ModelStats]: number }>()

  arrive(): void {
    this.requests++
  }
  answer(): void {
    this.answered++
  }
  reject(): void {
    this.rejected++
  }
  violate(limitName: LimitName): void {
    this.violations.total++
    this.violations[limitName]++
  }
  inject(kind: FaultKind): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1
  }
  script(): void {
    this.scripted++
  }
  abort(): void {
    this.aborted++
  }

  enter(): void {
    this.peakInFlight = Math.max(this.peakInFlight, ++this.inFlight)
  }
  leave(): void {
    this.inFlight--
  }

  /** A well-formed request asks for these tokens, whether it gets them or not. */
  demand(now: number, tokens: number): void {
    const { minute } = this
    minute.requests.add(now, 1)
    minute.tokens.add(now, tokens)
    this.peakRequestsPerMinute = Math.max(this.peakRequestsPerMinute, minute.requests.total(now))
    this.peakTokensPerMinute = Math.max(this.peakTokensPerMinute, minute.tokens.total(now))
  }

  admit(model: string, promptTokens: number, completionTokens: number): void {
    this.promptTokens += promptTokens
    this.completionTokens += completionTokens
    let counts = this.models.get(model)
    if (counts === undefined) {
      this.models.set(model, (counts = { requests: 0, promptTokens: 0, completionTokens: 0 }))
    }
    counts.requests++
    counts.promptTokens += promptTokens
    counts.completionTokens += completionTokens
  }

  snapshot(): SimulatorStats {
    return {
      requests: this.requests,
      answered: this.answered,
      rejected: this.rejected,
      violations: { ...this.violations },
      faults: { ...this.faults },
      scripted: this.scripted,
      aborted: this.aborted,
      inFlight: this.inFlight,
      peakInFlight: this.peakInFlight,
      peakRequestsPerMinute: this.peakRequestsPerMinute,
      peakTokensPerMinute: this.peakTokensPerMinute,
      promptTokens: this.promptTokens,
      completionTokens: this.completionTokens,
      models: Object.fromEntries([...this.models].map(([model, counts]) => [model, { ...counts }]))
    }
  }
}
