/**
 * Transcripts as subtitles, one file each, beside the rows.
 *
 * **Details**: a row's file is named after its audio and its position, `talk.3.srt`, because two rows may have audio of the same name;
 * the row has the names in `subtitles`. The times are those of the transcript's segments; without segments the whole text is one
 * cue as long as the audio; without a duration either there is no file, and `subtitles` is empty.
 *
 * @since 0.1.0
 */
import type { Segment } from "@infermesh/core/operation/Transcribe"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

import { fileError } from "../JobError.ts"
import type { SettledRow } from "../operation/SettledRow.ts"
import type { TranscribeRow } from "../operation/TranscribeRow.ts"
import type { Beside } from "./Beside.ts"

/**
 * A format of subtitles.
 *
 * @category models
 * @since 0.1.0
 */
export type SubtitleFormat = "srt" | "vtt"

/**
 * Subtitles in a folder, which is made when it is not there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const subtitles = (options: {
  readonly folder: string
  readonly formats: ReadonlyArray<SubtitleFormat>
}): Beside<TranscribeRow> => ({
  identity: { subtitles: options.formats },
  paths: [],
  open: Effect.fnUntraced(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const { folder, formats } = options
    yield* Effect.mapError(
      fileSystem.makeDirectory(folder, { recursive: true }),
      fileError("write", folder)
    )
    const save = Effect.fnUntraced(
      function* (name: string, text: string) {
        const file = yield* fileSystem.open(path.join(folder, name), { flag: "w" })
        yield* file.writeAll(new TextEncoder().encode(text))
        yield* file.sync
      },
      Effect.scoped,
      (saved, name) => Effect.mapError(saved, fileError("write", path.join(folder, name)))
    )
    return {
      write: (rows) =>
        Effect.forEach(
          rows,
          Effect.fnUntraced(function* (row: TranscribeRow | SettledRow) {
            if (row.error !== undefined) return { row, side: 0 }
            const cues = cuesOf(row)
            if (cues === undefined) return { row: withFiles(row, []), side: 0 }
            const stem = `${stemOf(row, path)}.${row.index}`
            const names = formats.map((format) => `${stem}.${format}`)
            for (const [at, format] of formats.entries()) {
              yield* save(names[at] ?? stem, render[format](cues))
            }
            return { row: withFiles(row, names), side: 0 }
          }),
          { concurrency: 16 }
        )
    }
  })
})

const withFiles = (row: TranscribeRow, subtitles: ReadonlyArray<string>): TranscribeRow => ({
  ...row,
  subtitles
})

const stemOf = (row: TranscribeRow, path: Path.Path): string =>
  row.path === undefined ? "audio" : path.parse(row.path).name

type Cue = Pick<typeof Segment.Type, "start" | "end" | "text">

const cuesOf = ({
  durationSeconds,
  segments,
  text
}: TranscribeRow): ReadonlyArray<Cue> | undefined => {
  if (segments !== undefined) return segments
  if (text === undefined || durationSeconds === undefined) return undefined
  return [{ start: 0, end: durationSeconds, text }]
}

/** A cue ends with an empty line, so its text may have none. */
const textOf = ({ text }: Cue): string =>
  text
    .split(/\r\n|\r|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .join("\n")

const time = (seconds: number, mark: string): string => {
  const millis = Math.max(0, Math.round(seconds * 1000))
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0")
  const clock = [millis / 3_600_000, (millis / 60_000) % 60, (millis / 1000) % 60].map(two)
  return `${clock.join(":")}${mark}${String(millis % 1000).padStart(3, "0")}`
}

/**
 * Cues as text of each format.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render: { readonly [F in SubtitleFormat]: (cues: ReadonlyArray<Cue>) => string } = {
  srt: (cues) =>
    cues
      .map(
        (cue, index) =>
          `${index + 1}\n${time(cue.start, ",")} --> ${time(cue.end, ",")}\n${textOf(cue)}\n\n`
      )
      .join(""),
  vtt: (cues) =>
    `WEBVTT\n\n${cues
      .map(
        (cue) => `${time(cue.start, ".")} --> ${time(cue.end, ".")}\n${escaped(textOf(cue))}\n\n`
      )
      .join("")}`
}

/** Of a WebVTT cue's text: https://www.w3.org/TR/webvtt1/#webvtt-cue-text. */
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("-->", "--&gt;")
