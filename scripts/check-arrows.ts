// Checks who imports whom in packages/*/src, and prints every forbidden import with its file and line.
// `node scripts/check-arrows.ts [root]`: exit code 1 when something is wrong.
import { readdirSync, readFileSync } from "node:fs"
import { isBuiltin } from "node:module"
import { join, posix, relative, resolve, sep } from "node:path"
import process from "node:process"

/** Which of our packages each package may import. */
const arrows = new Map([
  ["core", new Set<string>()],
  ["providers", new Set(["core"])],
  ["job", new Set(["core"])],
  ["infermesh", new Set(["core", "providers", "job"])]
])

/** Stages of the pipeline: they meet in Pipeline.ts and never import one another. */
const stages = new Set(["admission", "attempt", "cache", "routing", "output", "telemetry"])

/** Packages that run in any JavaScript runtime, but for the files that are named: each with what of Node it may import. */
const portable = new Map<string, Readonly<Record<string, ReadonlyArray<string>>>>([
  ["core", {}],
  ["providers", {}],
  ["job", { "LedgerSqlite.ts": ["node:sqlite", "node:crypto"] }]
])

interface Import {
  readonly specifier: string
  readonly line: number
}

// Statements start at the line's beginning (the formatter sees to it), examples in comments do not.
const statement = /^(?:import|export)\b(?:[^"'`;]*?\bfrom)?\s*["']([^"'\n]+)["']/gm
// `import("…")`, as a value or in a type, outside comment lines.
const dynamic = /^(?!\s*(?:\*|\/\/|\/\*)).*?\bimport\(\s*["']([^"'\n]+)["']/gm

function importsOf(source: string): ReadonlyArray<Import> {
  return [...source.matchAll(statement), ...source.matchAll(dynamic)].map((match) => {
    const end = match.index + match[0].length
    return { specifier: match[1] ?? "", line: source.slice(0, end).split("\n").length }
  })
}

function packageOf(specifier: string): string | undefined {
  if (specifier === "infermesh" || specifier.startsWith("infermesh/")) return "infermesh"
  return /^@infermesh\/([^/]+)/.exec(specifier)?.[1]
}

/** What is wrong with an import, or undefined. `path` is the file's path below packages/NAME/src. */
function fault(name: string, path: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) {
    const target = posix.normalize(posix.join(posix.dirname(path), specifier))
    if (target.startsWith(".."))
      return `${specifier} is outside of ${name}: import it by its package`
    const from = path.split("/")[0] ?? ""
    const to = target.split("/")[0] ?? ""
    if (name === "core" && from !== to && stages.has(from) && stages.has(to)) {
      return `${from} may not import ${to}: stages meet in Pipeline.ts`
    }
    return undefined
  }
  const other = packageOf(specifier)
  if (other === name) return `${specifier} is this package itself: import the file`
  if (other !== undefined && arrows.get(name)?.has(other) !== true) {
    return `${name} may not import ${other}`
  }
  const native = portable.get(name)
  if (isBuiltin(specifier) && native !== undefined && native[path]?.includes(specifier) !== true) {
    return `${name} may not import ${specifier}: it runs without Node`
  }
  if (specifier.startsWith("effect/unstable")) return `${specifier} is gone: import effect/…`
  // Modules are PascalCase, barrels are lowercase: effect, effect/http, @effect/platform-node.
  if (
    /^(?:effect(?:\/[a-z][^/]*)?|@effect\/[^/]+)$/.test(specifier) &&
    posix.basename(path) !== "index.ts"
  ) {
    return `${specifier} is a barrel and slow to load: import the module (effect/Effect)`
  }
  return undefined
}

function folders(path: string): ReadonlyArray<string> {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : []
  )
}

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."))
const faults: Array<string> = []
let files = 0
for (const name of folders(join(root, "packages"))) {
  if (!arrows.has(name)) {
    faults.push(`packages/${name}:1: unknown package: add it to scripts/check-arrows.ts`)
    continue
  }
  const src = join(root, "packages", name, "src")
  for (const entry of readdirSync(src, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue
    files++
    const file = join(entry.parentPath, entry.name)
    const path = relative(src, file).split(sep).join("/")
    for (const { line, specifier } of importsOf(readFileSync(file, "utf8"))) {
      const message = fault(name, path, specifier)
      if (message !== undefined) faults.push(`packages/${name}/src/${path}:${line}: ${message}`)
    }
  }
}
for (const message of faults) console.error(message)
if (faults.length > 0) process.exitCode = 1
else console.log(`arrows: ${files} files, no forbidden import`)
