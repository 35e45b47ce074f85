/** What every client under test is: from a scenario and its servers to a way to ask for one request. */
import type { SettingsError } from "@infermesh/core/SettingsError"
import type { Effect, Scope } from "effect"

import type { Request, Scenario } from "./Scenario.ts"
import type { World } from "./World.ts"

export type Clients = (
  scenario: Scenario,
  world: World
) => Effect.Effect<(request: Request) => Effect.Effect<void, unknown>, SettingsError, Scope.Scope>

/** The prompt of a request: its number, by which the servers know it, and its words. */
export const promptOf = ({ id, words }: Request): string => `#${id}${" word".repeat(words)}`
