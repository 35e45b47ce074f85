// Keeps the documentation true. Prints what is wrong as FILE:LINE and exits with 1.
//
// - Every fence marked exactly `ts` in README.md, docs/**/*.md and the comments of packages/*/src is a module of its own
//   and is type-checked. One that is no whole module is marked `ts fragment` or `text`.
// - One whose first line is `// run` is also executed, and must end well within a minute.
// - Every command of a `sh` fence in README.md must stand word for word in a file below test/, which runs it or says who
//   does.
import { execFileSync } from "node:child_process"
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { join, relative, resolve, sep } from "node:path"
import process from "node:process"

interface Fence {
  readonly file: string
  readonly language: string
  /** The line of the opening fence, from 1. */
  readonly line: number
  readonly code: ReadonlyArray<string>
}

const root = resolve(process.argv[2] ?? join(import.meta.dirname, ".."))
const compiler = join(import.meta.dirname, "../node_modules/typescript/bin/tsc")
const faults: Array<string> = []

function filesBelow(folder: string, extension: string): ReadonlyArray<string> {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).flatMap(
    (entry) =>
      entry.isFile() && entry.name.endsWith(extension) && !entry.parentPath.includes("node_modules")
        ? [relative(root, join(entry.parentPath, entry.name)).split(sep).join("/")]
        : []
  )
}

/** The fences of a file; in a source file those inside comments, without the comment's margin. */
function fencesOf(file: string): ReadonlyArray<Fence> {
  const fences: Array<Fence> = []
  let open: { indent: number; fence: Fence & { readonly code: Array<string> } } | undefined
  for (const [index, raw] of readFileSync(join(root, file), "utf8").split("\n").entries()) {
    const line = file.endsWith(".ts") ? raw.replace(/^\s*\* ?/, "") : raw
    const mark = /^(\s*)```(.*)$/.exec(line)
    if (mark === null) {
      open?.fence.code.push(line.slice(open.indent))
    } else if (open === undefined) {
      const fence = { file, language: (mark[2] ?? "").trim(), line: index + 1, code: [] }
      open = { indent: (mark[1] ?? "").length, fence }
    } else {
      fences.push(open.fence)
      open = undefined
    }
  }
  if (open !== undefined) faults.push(`${file}:${open.fence.line}: this fence is never closed`)
  return fences
}

/** What the compiler or an example printed before it failed. */
function outputOf(error: unknown): string {
  const { stderr, stdout } = error as { readonly stderr: string; readonly stdout: string }
  return `${stdout}${stderr}`
}

function checkTypescript(modules: ReadonlyArray<Fence>): void {
  const cache = join(root, "node_modules/.cache")
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, "docs-"))
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
  const projects = filesBelow("packages", "tsconfig.json")
  const config = {
    extends: join(root, "tsconfig.base.json"),
    files: modules.map((_, index) => `${index}.ts`),
    references: projects.map((path) => ({ path: join(root, path) })),
    compilerOptions: {
      composite: false,
      incremental: false,
      declarationMap: false,
      noUnusedLocals: false,
      types: ["node"],
      outDir: "out"
    }
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config))
  for (const [index, { code, line }] of modules.entries()) {
    // As many empty lines as the document has above the code: line numbers in messages are then the document's.
    writeFileSync(join(folder, `${index}.ts`), "\n".repeat(line) + code.join("\n"))
  }
  const options = { cwd: root, encoding: "utf8", stdio: "pipe", timeout: 60_000 } as const
  try {
    execFileSync(process.execPath, [compiler, "-b", folder, "--pretty", "false"], options)
  } catch (error) {
    const place = /(?:\S*\/)?(\d+)\.ts\((\d+),\d+\)/g
    const document = (_: string, index: string, line: string) =>
      `${modules[Number(index)]?.file}:${line}`
    faults.push(outputOf(error).replace(place, document).trim())
    return
  }
  for (const [index, { code, file, line }] of modules.entries()) {
    if (code[0]?.trim() !== "// run") continue
    try {
      execFileSync(process.execPath, [join(folder, "out", `${index}.js`)], options)
    } catch (error) {
      faults.push(`${file}:${line}: the example fails\n${outputOf(error)}`)
    }
  }
}

function checkShell(fences: ReadonlyArray<Fence>): void {
  const tests = filesBelow("test", ".ts").map((file) => readFileSync(join(root, file), "utf8"))
  for (const fence of fences) {
    for (const [index, line] of fence.code.entries()) {
      const command = line
        .replace(/^\$ /, "")
        .replace(/\s+#.*$/, "")
        .trim()
      if (command === "" || command.startsWith("#")) continue
      if (!tests.some((test) => test.includes(command))) {
        faults.push(`${fence.file}:${fence.line + index + 1}: no test names \`${command}\``)
      }
    }
  }
}

const readme = existsSync(join(root, "README.md")) ? ["README.md"] : []
const sources = filesBelow("packages", ".ts").filter((file) => /^packages\/[^/]+\/src\//.test(file))
const fences = [...readme, ...filesBelow("docs", ".md"), ...sources].flatMap(fencesOf)
const modules = fences.filter((fence) => fence.language === "ts")
if (modules.length > 0) checkTypescript(modules)
checkShell(fences.filter((fence) => fence.language === "sh" && fence.file === "README.md"))

for (const fault of faults) console.error(fault)
if (faults.length > 0) process.exitCode = 1
else console.log(`docs: ${fences.length} fences, ${modules.length} of them type-checked`)
