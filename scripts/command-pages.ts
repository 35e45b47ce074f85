// Writes what is said of the command's flags in two other places, out of their one definition:
//
// - packages/infermesh/src/HelpPages.ts, the pages of --help, so that showing one loads nothing;
// - docs/command.md, where each page stands between two marks.
//
// With --check nothing is written; the files that are not up to date are named, and the exit code is 1.
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"

import { NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { CliOutput, Command } from "effect/cli"
import * as Cli from "infermesh/Cli"
import { version } from "infermesh/Version"

const root = join(import.meta.dirname, "..")

/** The words behind `infermesh` of each command that has a page. */
function pathsBelow(
  command: Command.Command.Any,
  path: ReadonlyArray<string> = []
): ReadonlyArray<ReadonlyArray<string>> {
  const subcommands = command.subcommands.flatMap(({ commands }) => commands)
  return [
    path,
    ...subcommands.flatMap((subcommand) => pathsBelow(subcommand, [...path, subcommand.name]))
  ]
}

/** The help page of a command, as it is shown where there are no colours. */
async function page(path: ReadonlyArray<string>): Promise<string> {
  const formatter = CliOutput.defaultFormatter({ colors: false })
  let text = ""
  const presenter: CliOutput.Presenter = {
    present: (event) =>
      Effect.sync(() => {
        if (event._tag === "Help") text = formatter.formatHelpDoc(event.helpDoc)
      })
  }
  await Command.runWith(Cli.root, { version })([...path, "--help"]).pipe(
    Effect.provideService(CliOutput.Presenter, presenter),
    Effect.provide(NodeServices.layer),
    Effect.runPromise
  )
  return text
}

const entries: Array<readonly [string, string]> = []
for (const path of pathsBelow(Cli.root)) entries.push([path.join(" "), (await page(path)).trim()])

const escaped = (text: string) => text.replaceAll(/[\\`]|\$\{/g, (found) => `\\${found}`)

const key = (name: string) => (/^\w+$/.test(name) ? name : JSON.stringify(name))

const helpPages = `/**
 * The pages of \`--help\` by the words of the command. Written by \`node scripts/command-pages.ts\` out of the flags' definitions.
 *
 * @since 0.1.0
 */

/**
 * The pages, by the words behind \`infermesh\`.
 *
 * @category constants
 * @since 0.1.0
 */
export const pages: { readonly [words: string]: string } = {
${entries.map(([name, text]) => `  ${key(name)}: \`${escaped(text)}\``).join(",\n")}
}
`

/** Puts the pages of commands between their marks. */
function withPages(document: string): string {
  let text = document
  for (const [name, content] of entries) {
    const words = `infermesh ${name}`.trim()
    const [begin, end] = [`<!-- ${words} --help -->`, "<!-- end -->"]
    const start = text.indexOf(begin)
    if (start === -1) {
      console.error(`docs/command.md has no place ${begin}`)
      process.exitCode = 1
      continue
    }
    const stop = text.indexOf(end, start)
    text = `${text.slice(0, start + begin.length)}\n\n\`\`\`text\n${content}\n\`\`\`\n\n${text.slice(stop)}`
  }
  return text
}

const document = join(root, "docs/command.md")
for (const [file, text] of [
  [join(root, "packages/infermesh/src/HelpPages.ts"), helpPages],
  [document, withPages(readFileSync(document, "utf8"))]
] as const) {
  if (!process.argv.includes("--check")) writeFileSync(file, text)
  else if (readFileSync(file, "utf8") !== text) {
    console.error(`${file} is not up to date; run node scripts/command-pages.ts`)
    process.exitCode = 1
  }
}
