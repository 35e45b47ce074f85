/** The entry of the command. */

import process from "node:process"

import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as References from "effect/References"

import * as Cli from "./Cli.ts"

// A reader that has closed the pipe (`| head`) is found out by whoever writes rows; help and versions need not know.
process.stdout.on("error", () => {})

Cli.run(process.argv.slice(2)).pipe(
  Effect.provideService(References.LogToStderr, true),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
