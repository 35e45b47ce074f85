// Everything a change must pass: types and build, lint, arrows, packages, then every test. Stops at the first step that
// fails. The last line is always `N passed, N failed`. Arguments go to vitest: `npm test -- test/core`.
import { spawn, spawnSync } from "node:child_process"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"

const root = join(import.meta.dirname, "..")
const steps = ["check", "lint", "arrows", "pack:check"]

for (const step of steps) {
  console.log(`\n# ${step}`)
  const { status } = spawnSync(`npm run --silent ${step}`, {
    cwd: root,
    shell: true,
    stdio: "inherit"
  })
  if (status !== 0) {
    console.log(`\nnpm run ${step} failed: no test was run\n0 passed, 1 failed`)
    process.exit(status ?? 1)
  }
}

console.log("\n# tests")
const vitest = join(root, "node_modules/vitest/vitest.mjs")
const tests = spawn(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  cwd: root,
  env: process.stdout.isTTY ? { ...process.env, FORCE_COLOR: "1" } : process.env,
  stdio: ["inherit", "pipe", "inherit"]
})

// The closing line is held back until vitest is gone, whatever else it prints while it shuts down.
let closing = "0 passed, 0 failed"
createInterface({ input: tests.stdout }).on("line", (line) => {
  if (/^\d+ passed, \d+ failed/.test(line)) closing = line
  else console.log(line)
})
tests.on("close", (code) => {
  // Vitest can fail without a failing test, when it cannot start or is killed.
  console.log(code === 0 ? closing : closing.replace(", 0 failed", ", 1 failed"))
  process.exitCode = code ?? 1
})
