#!/usr/bin/env node
// The command's entry: small, plain and always there, so that package managers can link it before anything is built.
import { existsSync } from "node:fs"
import * as module from "node:module"
import process from "node:process"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const program = new URL("../dist/bin.js", import.meta.url)

if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `infermesh needs Node 22.19 or later, this is ${process.version}: install a newer Node`
  )
  process.exitCode = 1
} else if (!existsSync(program)) {
  console.error("infermesh is not built: run `npm start` or `npm test` in its repository once")
  process.exitCode = 1
} else {
  // Node 22 calls node:sqlite and type stripping experimental: true, and of no use to whoever runs the command.
  const listeners = process.listeners("warning")
  process.removeAllListeners("warning")
  process.on("warning", (warning) => {
    if (warning.name === "ExperimentalWarning") return
    for (const listener of listeners) listener(warning)
  })
  module.enableCompileCache()
  await import(program.href)
}
