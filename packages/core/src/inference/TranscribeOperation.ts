/**
 * The transcribe operation: audio through the pipeline, and its transcript made the result.
 *
 * It is charged to the request quota like every request; audio has no tokens to estimate.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"

import type { Plan } from "../Call.ts"
import type { InferenceError } from "../InferenceError.ts"
import type { TimeOptions } from "../operation/GenerateOptions.ts"
import type { RouteOptions } from "../operation/RouteOptions.ts"
import * as RouteOptionsModule from "../operation/RouteOptions.ts"
import type { TranscribeRequest, Transcript, TranscriptionResult } from "../operation/Transcribe.ts"
import { TranscribeModelOptions } from "../operation/Transcribe.ts"
import { InvalidInput } from "../Reason.ts"
import type { AudioInput, AudioOptions } from "./AudioSource.ts"
import * as AudioSource from "./AudioSource.ts"
import type { Environment } from "./GenerateOperation.ts"
import { unsupported } from "./GenerateOperation.ts"
import * as Options from "./Options.ts"
import * as Run from "./Run.ts"

/**
 * What can be transcribed: a path, a `file:` URL, bytes, a Blob, or a stream of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export type TranscribeInput = AudioInput

/**
 * What a caller may set on one transcription.
 *
 * @category models
 * @since 0.1.0
 */
export interface TranscribeOptions
  extends TranscribeModelOptions, RouteOptions, TimeOptions, AudioOptions {
  /** Keeps the parsed response body in the result; off by default. */
  readonly rawResponse?: boolean | undefined
}

/**
 * Builds the operation; files are read through the `FileSystem` that is in context now.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  environment: Environment,
  fileSystem: Option.Option<FileSystem.FileSystem>
) => {
  const run = Run.run(environment)
  const files = Option.getOrElse(fileSystem, () => noFiles)

  return Effect.fnUntraced(function* (
    input: TranscribeInput,
    options: TranscribeOptions = Options.none
  ): Effect.fn.Return<TranscriptionResult, InferenceError> {
    const checked = checkOptions(options)
    if (checked !== undefined) return yield* Run.refused("transcribe", checked)
    const limits = Run.timeLimits(options, environment.defaults)
    if (limits instanceof InvalidInput) return yield* Run.refused("transcribe", limits)
    const audio = yield* AudioSource.make(input, options).pipe(
      Effect.provideService(FileSystem.FileSystem, files),
      Effect.mapError((reason) => Run.refused("transcribe", reason))
    )
    const request: TranscribeRequest = { audio, options: modelOptions(options) }
    const plan: Plan<Transcript> = {
      operation: "transcribe",
      ...RouteOptionsModule.of(options, environment.defaults),
      send: (connection) =>
        connection.transcribe === undefined
          ? unsupported("transcription")
          : Effect.map(connection.transcribe(request), (answer) => ({
              ...answer,
              audioSeconds: answer.value.durationSeconds
            })),
      audioSecondsEstimate:
        audio.sizeBytes === undefined ? undefined : audio.sizeBytes / bytesPerSecond,
      size: { texts: [], messageCount: 0, maxOutputTokens: 0, choices: 1 },
      ...limits
    }
    return yield* run(plan, (outcome) => {
      const { answer, call, metrics } = outcome
      const modelId = call.deployment?.target.model ?? ""
      return Effect.succeed({
        ...answer.value,
        modelId,
        language: answer.value.language ?? options.language,
        tokenUsage: answer.usage,
        requestId: answer.requestId,
        cost: Run.price(environment.pricing, outcome, modelId),
        metrics,
        rawResponse: options.rawResponse === true ? answer.body : undefined
      })
    })
  })
}

/** A guess at the bytes of a second of audio, for quotas of audio: 128 kbit/s, the usual rate of MP3. It is settled afterwards. */
const bytesPerSecond = 16_000

/** For programs without files: bytes, Blobs and streams still work, and a path is a typed error. */
const noFiles = FileSystem.makeNoop({
  stat: (path) =>
    Effect.fail(
      PlatformError.systemError({
        _tag: "Unknown",
        module: "FileSystem",
        method: "stat",
        description: "no FileSystem was provided to Inference.layer; give its bytes instead",
        pathOrDescriptor: path
      })
    )
})

const checkModelOptions = Options.checker(TranscribeModelOptions, [
  "fileName",
  "mediaType",
  "maxBytes",
  "rawResponse",
  "timeout",
  "deadline"
])

const checkOptions = (options: TranscribeOptions): InvalidInput | undefined => {
  const problem = checkModelOptions(options)
  if (problem !== undefined) return problem
  if (options.timestampGranularities === undefined || options.responseFormat === "verbose_json")
    return undefined
  return new InvalidInput({
    input: "timestampGranularities",
    problem: "times are reported only with responseFormat 'verbose_json'"
  })
}

const modelOptions = (options: TranscribeOptions): TranscribeModelOptions => ({
  language: options.language,
  prompt: options.prompt,
  temperature: options.temperature,
  responseFormat: options.responseFormat,
  timestampGranularities: options.timestampGranularities,
  extraBody: options.extraBody,
  headers: options.headers
})
