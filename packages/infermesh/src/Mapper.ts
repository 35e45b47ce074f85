/**
 * A mapper out of a module of the user's: `prompts.ts#build`, or a module alone for its default export.
 *
 * TypeScript is run as it is, by Node, so only syntax that can be erased is allowed in it. Paths are those of the shell.
 *
 * @since 0.1.0
 */
import { hash } from "node:crypto"

import type { Mapper } from "@infermesh/job/Mapper"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

import { CannotRun, cannot } from "./ExitCode.ts"

/**
 * A mapper, and what tells it from others.
 *
 * @category models
 * @since 0.1.0
 */
export interface LoadedMapper<I, O> {
  readonly mapper: Mapper<I, O>
  /** The module's name, the function's name, and a hash of the module's source and of what it imports by relative paths. */
  readonly identity: string
}

/**
 * Loads a mapper.
 *
 * **Errors**: `CannotRun` when there is no such module, when it cannot be run, or when it has no such function.
 *
 * @category constructors
 * @since 0.1.0
 */
export const load = Effect.fnUntraced(function* <I, O>(
  given: string
): Effect.fn.Return<LoadedMapper<I, O>, CannotRun, FileSystem.FileSystem | Path.Path> {
  const path = yield* Path.Path
  const at = given.lastIndexOf("#")
  const file = path.resolve(at === -1 ? given : given.slice(0, at))
  const name = at === -1 ? "default" : given.slice(at + 1)
  const fault = (problem: string) => new CannotRun({ message: `the mapper ${given}: ${problem}` })
  const source = yield* sourceOf(file)
  const url = yield* Effect.mapError(path.toFileUrl(file), () => fault("it is no path of a file"))
  const module = yield* Effect.tryPromise({
    try: (): Promise<Readonly<Record<string, unknown>>> => import(url.href),
    catch: (cause) =>
      fault(
        `the module cannot be run (${(cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ")})`
      )
  })
  const mapper = module[name]
  if (typeof mapper !== "function") {
    const functions = Object.keys(module).filter((key) => typeof module[key] === "function")
    return yield* fault(
      `it has no function '${name}'; ${functions.length === 0 ? "it exports none" : `it exports ${functions.join(", ")}`}. Write FILE#FUNCTION`
    )
  }
  return {
    mapper: mapper as Mapper<I, O>,
    identity: `${path.basename(file)}#${name} ${hash("sha256", source).slice(0, hashCharacters)}`
  }
})

/** Enough to tell versions of one file apart. */
const hashCharacters = 16

const relativeImport = /(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g

/** The source of a module and of all it imports by relative paths. */
const sourceOf = Effect.fnUntraced(function* (file: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const sources = new Map<string, string>()
  const pending = [file]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (sources.has(next)) continue
    const read = Effect.mapError(fileSystem.readFileString(next), cannot("read", next))
    // What a module imports may be resolved in ways that we do not know; Node says so when it cannot be.
    const source = next === file ? yield* read : yield* Effect.orElseSucceed(read, () => "")
    sources.set(next, source)
    for (const [, imported = ""] of source.matchAll(relativeImport)) {
      pending.push(path.resolve(path.dirname(next), imported))
    }
  }
  // The order in which they were found is the source's own; the folder they are in is not part of it.
  return [...sources.values()].join("\n")
})
