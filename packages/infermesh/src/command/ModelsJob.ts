/**
 * The work of `infermesh models`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

import { CannotRun, traced } from "../ExitCode.ts"
import type { KnownModel } from "../KnownModels.ts"
import * as KnownModels from "../KnownModels.ts"
import * as Terminal from "../Terminal.ts"
import type { ModelsFlags } from "./Models.ts"

/**
 * Runs the command.
 *
 * @category commands
 * @since 0.1.0
 */
export const run = ({ text }: ModelsFlags) =>
  Effect.gen(function* () {
    const wanted = Option.getOrElse(text, () => "")
    const models = yield* KnownModels.find(wanted)
    if (models.length === 0) {
      return yield* new CannotRun({
        message: `no known model has '${wanted}' in its name; it can be asked all the same, without a cost. See infermesh models`
      })
    }
    yield* Terminal.show({ text: table(models), type: "models", data: { models } })
  }).pipe(traced)

const table = (models: ReadonlyArray<KnownModel>): string => {
  const rows = [
    ["model", "input", "cached", "output", "context"],
    ...models.map(({ cachedInputUsd, contextWindow, inputUsd, model, outputUsd }) => [
      model,
      money(inputUsd),
      money(cachedInputUsd),
      money(outputUsd),
      contextWindow === undefined ? "" : String(contextWindow)
    ])
  ]
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length))
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart((widths[column] ?? 0) + 2)
        )
        .join("")
        .trimEnd()
    )
    .join("\n")
}

const money = (usd: number | undefined): string => (usd === undefined ? "" : `$${usd}`)
