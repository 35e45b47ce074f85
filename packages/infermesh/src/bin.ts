/** The entry of the command: pages of help are shown at once, everything else is loaded when it is needed. */

import process from "node:process"

import { pages } from "./HelpPages.ts"
import { version } from "./Version.ts"

// A reader that has closed the pipe (`| head`) is found out by whoever writes rows; help and versions need not know.
process.stdout.on("error", () => {})

const words = process.argv.slice(2)
const last = words.at(-1)
const asksForHelp = last === "--help" || last === "-h"
const page = asksForHelp ? pages[words.slice(0, -1).join(" ")] : undefined

if (page !== undefined) process.stdout.write(`${page}\n`)
else if (words.length === 1 && (last === "--version" || last === "-v")) {
  process.stdout.write(`infermesh v${version}\n`)
} else {
  const { main } = await import("./Main.ts")
  main(words)
}
