/**
 * What is wrong with a file a caller named, as a typed reason that keeps the causes apart: missing, not allowed, not a file.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"

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
 * Looks at a file before anything is read or sent.
 *
 * @category constructors
 * @since 0.1.0
 */
export const checkFile = Effect.fnUntraced(function* (
  path: string,
  options: { readonly what: string; readonly maxBytes: number }
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
  const size = sizeFault(path, sizeBytes, options)
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
  options: { readonly what: string; readonly maxBytes: number }
): InvalidInput | undefined => {
  if (sizeBytes === 0) return new InvalidInput({ input, problem: `the ${options.what} is empty` })
  if (sizeBytes <= options.maxBytes) return undefined
  return new InvalidInput({
    input,
    problem: `the ${options.what} has ${sizeBytes} bytes, more than the ${options.maxBytes} allowed`,
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
        problem: `the file cannot be read (${error.reason._tag})`
      })
  }
}

/**
 * The last part of a path: what may be told to a provider.
 *
 * @category getters
 * @since 0.1.0
 */
export const baseName = (path: string): string => path.split(/[\\/]/).at(-1) ?? path
