import process from "node:process"

import { addEqualityTesters } from "@effect/vitest"
import * as fc from "fast-check"

addEqualityTesters()

// The same random values in every run, so that a change is judged by what it changes. `SEED=7 npm test` tries others.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(process.env["SEED"] ?? 1) })
