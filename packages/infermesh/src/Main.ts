/**
 * The command on Node: its services, its signals and its exit code.
 *
 * @since 0.1.0
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as References from "effect/References"

import * as Cli from "./Cli.ts"

/**
 * Runs the command, and ends the process with its exit code.
 *
 * @category running
 * @since 0.1.0
 */
export const main = (words: ReadonlyArray<string>): void =>
  Cli.run(words).pipe(
    Effect.provideService(References.LogToStderr, true),
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain({ disableErrorReporting: true })
  )
