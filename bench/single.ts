// Figures of single processes: the measures of alone.ts, how long programs take to start, how large a bundle is.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { gzipSync } from "node:zlib"

import { median } from "./measure.ts"

const root = join(import.meta.dirname, "..")

const node = (...args: ReadonlyArray<string>) => {
  const start = performance.now()
  const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: "utf8" })
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`)
  return { millis: performance.now() - start, stdout }
}

export const alone = (name: string): { readonly [figure: string]: number } => {
  // Garbage is left lying where there is room for it: a bound tells what is really held.
  const bound = name === "streamed" ? ["--max-old-space-size=192"] : []
  const { stdout } = node("--expose-gc", ...bound, join(root, "bench/alone.ts"), name)
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { readonly [figure: string]: number }
}

const help = [join(root, "packages/infermesh/bin/infermesh.js"), "--help"]
const library = ["--input-type=module", "-e", 'await import("infermesh/Infermesh")']

/** Median milliseconds, taking turns, of a program that does nothing, of the library, and of the command's help. */
export const starts = (rounds: number) => {
  const times = { nothing: [0], library: [0], help: [0] }
  times.nothing.pop()
  times.library.pop()
  times.help.pop()
  // The first start of each fills the caches of the disk and of compiled code.
  for (let round = -1; round < rounds; round++) {
    const found = [node("-e", "0").millis, node(...library).millis, node(...help).millis] as const
    if (round < 0) continue
    times.nothing.push(found[0])
    times.library.push(found[1])
    times.help.push(found[2])
  }
  return {
    nothingMillis: median(times.nothing),
    libraryMillis: median(times.library),
    helpMillis: median(times.help)
  }
}

interface Metafile {
  readonly outputs: {
    readonly [file: string]: {
      readonly entryPoint?: string
      readonly imports: ReadonlyArray<{ readonly path: string; readonly kind: string }>
    }
  }
}

/** Kilobytes of the smallest program in a bundle, zipped: what is loaded at its start, without what it might load later. */
export const bundle = (): number => {
  const folder = mkdtempSync(join(tmpdir(), "infermesh-bundle-"))
  try {
    const { status, stderr } = spawnSync(
      join(root, "bench/node_modules/.bin/esbuild"),
      [
        join(root, "bench/minimal.ts"),
        "--bundle",
        "--minify",
        "--splitting",
        "--format=esm",
        "--platform=neutral",
        "--main-fields=module,main",
        "--conditions=import",
        `--outdir=${folder}`,
        `--metafile=${join(folder, "meta.json")}`
      ],
      { cwd: root }
    )
    if (status !== 0) throw new Error(String(stderr))
    const meta = JSON.parse(readFileSync(join(folder, "meta.json"), "utf8")) as Metafile
    const loaded = new Set<string>()
    const load = (file: string) => {
      if (loaded.has(file)) return
      loaded.add(file)
      for (const { kind, path } of meta.outputs[file]?.imports ?? [])
        if (kind === "import-statement") load(path)
    }
    for (const [file, { entryPoint }] of Object.entries(meta.outputs))
      if (entryPoint?.endsWith("minimal.ts") === true) load(file)
    const zipped = [...loaded].map(
      (file) => gzipSync(readFileSync(join(root, file)), { level: 9 }).length
    )
    return zipped.reduce((sum, bytes) => sum + bytes, 0) / 1000
  } finally {
    rmSync(folder, { recursive: true })
  }
}
