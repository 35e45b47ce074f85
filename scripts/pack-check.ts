// Packs every package as for a release, examines the tarballs, then installs them in an empty folder as a user would:
// every module must load there and the command must run. What is packed is what `npm run check` has built.
import { execSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative, sep } from "node:path"
import process from "node:process"

const root = join(import.meta.dirname, "..")
const out = mkdtempSync(join(tmpdir(), "infermesh-pack-"))
process.on("exit", () => rmSync(out, { recursive: true, force: true }))

/** Runs a command and shows its output only when it fails: what is green is pages long. */
function run(command: string, cwd = root): string {
  try {
    return execSync(command, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
  } catch (error) {
    const { stderr, stdout } = error as { readonly stderr: string; readonly stdout: string }
    console.error(`${command}\n${stdout}${stderr}`)
    return process.exit(1)
  }
}

function filesBelow(path: string): ReadonlyArray<string> {
  return readdirSync(path, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [relative(path, join(entry.parentPath, entry.name)).split(sep).join("/")] : []
  )
}

/** The compiler leaves the output of a deleted source behind, which must not be published. */
function prune(path: string): void {
  for (const file of filesBelow(join(path, "dist"))) {
    const source = file.replace(/\.(?:d\.ts|js)(?:\.map)?$/, ".ts")
    if (source !== file && !existsSync(join(path, "src", source))) rmSync(join(path, "dist", file))
  }
}

const packages = readdirSync(join(root, "packages")).map((folder) => {
  const path = join(root, "packages", folder)
  const manifest = JSON.parse(readFileSync(join(path, "package.json"), "utf8"))
  const name: string = manifest.name
  const modules = filesBelow(join(path, "src"))
    .filter((file) => file !== "bin.ts" && !file.startsWith("internal/"))
    .map((file) => (file === "index.ts" ? name : `${name}/${file.slice(0, -3)}`))
  const tarball = join(out, `${name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`)
  return { name, path, modules, tarball }
})

for (const { path } of packages) prune(path)
run(`npm run --silent pnpm -- --recursive --filter "./packages/*" pack --pack-destination "${out}"`)
for (const { modules, name, tarball } of packages) {
  run(`publint run "${tarball}" --strict`)
  const entrypoints = modules.map((module) => module.slice(name.length + 1) || ".").join(" ")
  run(`attw "${tarball}" --profile esm-only --format ascii --entrypoints ${entrypoints}`)
  console.log(`${name}: publint and attw find nothing, ${modules.length} modules`)
}

const consumer = mkdtempSync(join(out, "consumer-"))
const loads = packages.flatMap(({ modules }) => modules.map((module) => `import "${module}"\n`))
writeFileSync(join(consumer, "package.json"), JSON.stringify({ private: true, type: "module" }))
writeFileSync(join(consumer, "load.js"), loads.join(""))
const tarballs = packages.map(({ tarball }) => `"${tarball}"`).join(" ")
run(`npm install --prefer-offline --no-audit --no-fund --ignore-scripts ${tarballs}`, consumer)
run("node load.js", consumer)
run("npm exec --offline -- infermesh --help", consumer)
console.log(`consumer: ${loads.length} modules load, the command runs`)
