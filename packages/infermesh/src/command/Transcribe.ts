/**
 * `infermesh transcribe`: audio files in, text out. Its work is in `TranscribeJob`, which is loaded when there is some.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"

import { extraBody } from "../flag/Request.ts"
import { jobFlags } from "./Given.ts"

const flags = {
  ...jobFlags('{"path": …}'),
  subtitles: Flag.Literals("subtitles", ["srt", "vtt"]).pipe(
    Flag.withMetavar("srt|vtt"),
    Flag.withDescription(
      "Write a file of subtitles for each transcript, too, in this format; repeatable"
    ),
    Flag.atLeast(0)
  ),
  subtitlesDir: Flag.String("subtitles-dir").pipe(
    Flag.withMetavar("FOLDER"),
    Flag.withDescription("Folder for subtitles; default that of --output-jsonl"),
    Flag.optional
  ),
  language: Flag.String("language").pipe(
    Flag.withDescription("Language of the audio, such as en; default found out by the model"),
    Flag.optional
  ),
  prompt: Flag.String("prompt").pipe(
    Flag.withMetavar("TEXT"),
    Flag.withDescription("Text that goes before: names, style"),
    Flag.optional
  ),
  temperature: Flag.Finite("temperature").pipe(
    Flag.withDescription("Sampling temperature, 0 to 1"),
    Flag.optional
  ),
  responseFormat: Flag.Literals("response-format", [
    "json",
    "text",
    "verbose_json",
    "srt",
    "vtt"
  ]).pipe(
    Flag.withDescription(
      "What the provider is asked for; default json, or verbose_json for --subtitles"
    ),
    Flag.optional
  ),
  ...extraBody,
  paths: Argument.String("path").pipe(
    Argument.withDescription("Audio files, instead of a file of rows"),
    Argument.variadic()
  )
}

/**
 * The flags, parsed.
 *
 * @category models
 * @since 0.1.0
 */
export type TranscribeFlags = Command.Command.Config.Infer<typeof flags>

/**
 * The command.
 *
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make("transcribe", flags, (given) =>
  Effect.flatMap(
    Effect.promise(() => import("./TranscribeJob.ts")),
    ({ run }) => run(given)
  )
).pipe(
  Command.withDescription("Transcribe audio files"),
  Command.withExamples([
    { command: "infermesh transcribe --model groq/whisper-large-v3 talk.mp3" },
    {
      command:
        "infermesh transcribe --model openai/whisper-1 --output-jsonl talks.jsonl --subtitles srt --subtitles-dir subtitles talks/*.mp3",
      description: "Many files, each with subtitles"
    }
  ])
)
