// Runs the simulation of test/simulation and writes docs/scheduling.md and its pictures.
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"

import { Effect } from "effect"

import * as Files from "../test/simulation/report/Files.ts"

const docs = join(import.meta.dirname, "../docs")
const { files } = await Effect.runPromise(Files.make)
rmSync(join(docs, "scheduling"), { recursive: true, force: true })
mkdirSync(join(docs, "scheduling"), { recursive: true })
for (const [name, content] of files) writeFileSync(join(docs, name), content)
console.log([...files.keys()].join("\n"))
