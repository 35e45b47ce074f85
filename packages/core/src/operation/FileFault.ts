/**
 * What is wrong with a file a caller named, as a typed reason that keeps the causes apart: missing, not allowed, not a file.
 *
 * It reads no file; it says which path is meant, and looks at what is there.
 *
 * **Units**: `maxBytes` and `sizeBytes` in bytes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"

import { InvalidInput } from "../Reason.ts"

/**
 * A file that was looked at: it exists, is a regular file, is not empty and not too large.
 *
 * @category models
 * @since 0.1.0
 */
export interface CheckedFile {
  readonly fileSystem: FileSystem.FileSystem
  readonly sizeBytes: number
}

/**
 * What may be sent: what it is called in messages, and the most bytes it may have.
 *
 * @category models
 * @since 0.1.0
 */
export interface SizeLimit {
  readonly what: string
  readonly maxBytes: number
}

/**
 * What is wrong with a limit; `undefined` when nothing is.
 *
 * @category guards
 * @since 0.1.0
 */
export const limitFault = ({ maxBytes }: SizeLimit): InvalidInput | undefined =>
  typeof maxBytes === "number" && maxBytes > 0
    ? undefined
    : new InvalidInput({
        input: "maxBytes",
        problem: `${String(maxBytes)} is no number of bytes above zero`,
        hint: "Infinity allows any number"
      })

/**
 * The path that a `file:` URL names.
 *
 * @category conversions
 * @since 0.1.0
 */
export const pathOf = (url: URL): Result.Result<string, InvalidInput> => {
  const fault = (problem: string) =>
    Result.fail(new InvalidInput({ input: url.protocol, problem, hint: "Give the path" }))
  if (url.protocol !== "file:") return fault("this is no URL of a file")
  if (url.hostname !== "") return fault(`files of another host ('${url.hostname}') cannot be read`)
  if (/%2f/i.test(url.pathname)) return fault("the URL has an escaped '/' in a file's name")
  try {
    // A drive of Windows: the URL has a slash before its letter and the path has not.
    return Result.succeed(decodeURIComponent(url.pathname).replace(/^\/(?=[a-zA-Z]:)/, ""))
  } catch {
    return fault("the URL has an escape that is none")
  }
}

/**
 * Looks at a file before anything is read or sent.
 *
 * @category constructors
 * @since 0.1.0
 */
export const checkFile = Effect.fnUntraced(function* (
  path: string,
  limit: SizeLimit
): Effect.fn.Return<CheckedFile, InvalidInput, FileSystem.FileSystem> {
  const fileSystem = yield* FileSystem.FileSystem
  const info = yield* Effect.mapError(fileSystem.stat(path), (error) => fileFault(path, error))
  // Pipes and devices have no size to check, and may never end.
  if (info.type !== "File") {
    return yield* new InvalidInput({
      input: path,
      problem: `it is not a regular file (${info.type})`
    })
  }
  const sizeBytes = Number(info.size)
  const size = sizeFault(path, sizeBytes, limit)
  if (size !== undefined) return yield* size
  return { fileSystem, sizeBytes }
})

/**
 * What is wrong with a size; `undefined` when nothing is.
 *
 * @category guards
 * @since 0.1.0
 */
export const sizeFault = (
  input: string,
  sizeBytes: number,
  { maxBytes, what }: SizeLimit
): InvalidInput | undefined => {
  if (sizeBytes === 0) return new InvalidInput({ input, problem: `the ${what} is empty` })
  if (sizeBytes <= maxBytes) return undefined
  return new InvalidInput({
    input,
    problem: `the ${what} has ${sizeBytes} bytes, more than the ${maxBytes} allowed`,
    hint: "Make it smaller, or raise 'maxBytes' if the provider takes more"
  })
}

/**
 * A file system's error as a reason.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fileFault = (path: string, error: PlatformError.PlatformError): InvalidInput => {
  switch (error.reason._tag) {
    case "NotFound":
      return new InvalidInput({ input: path, problem: "there is no such file" })
    case "PermissionDenied":
      return new InvalidInput({
        input: path,
        problem: "the file may not be read (permission denied)"
      })
    default:
      return new InvalidInput({
        input: path,
        problem: `the file cannot be read (${error.reason.description ?? error.reason._tag})`
      })
  }
}

/**
 * The last part of a path: what may be told to a provider.
 *
 * @category getters
 * @since 0.1.0
 */
export const baseName = (path: string): string => path.split(/[\\/]/).at(-1) as string
