// The main job, runnable at once: `infermesh generate` over examples/prompts.jsonl.
//
// Without arguments it runs against two simulated replicas with quotas and faults, which it starts and stops. Any argument
// is passed to `infermesh generate` instead: `npm start -- --model openai/gpt-4.1-mini` asks the real provider, with the key
// from OPENAI_API_KEY.
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"

const root = join(import.meta.dirname, "..")
const bin = join(root, "packages/infermesh/bin/infermesh.js")
const output = join(root, "output")
const answers = join(output, "answers.jsonl")
const wanted = process.argv.slice(2)
mkdirSync(output, { recursive: true })

/** What each replica allows: 600 requests a minute, at most ten of them at one instant. */
const quota = { rpm: 600, burst: 10 }

const generate = ["generate", "--input-jsonl", join(root, "examples/prompts.jsonl"), "--overwrite"]
/** Runs the command until it ends; Ctrl-C reaches it directly, because it is in our process group. */
async function run(parameters: ReadonlyArray<string>): Promise<number> {
  const child = spawn(process.execPath, [bin, ...parameters], { stdio: "inherit" })
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal))
  const [code] = (await once(child, "close")) as [number | null]
  return code ?? 1
}

async function simulated(): Promise<number> {
  const { urls, stop } = await startReplicas()
  const deployments = join(output, "deployments.toml")
  writeFileSync(deployments, urls.map(deployment).join("\n"))
  console.error(
    `Two simulated replicas, ${quota.rpm} requests a minute each, 5 % of requests fail:`
  )
  for (const url of urls) console.error(`  ${url}`)
  try {
    return await run([
      ...generate,
      "--deployments-toml",
      deployments,
      "--output-jsonl",
      answers,
      "--max-parallel-requests",
      "64"
    ])
  } finally {
    stop()
  }
}

const deployment = (url: string, index: number) => `[deployments.replica-${index + 1}]
model = "hosted_vllm/simulated"
api_base = "${url}"
limits = { rpm = ${quota.rpm}, maxRequestBurst = ${quota.burst} }
`

async function startReplicas() {
  const child = spawn(
    process.execPath,
    [
      bin,
      "simulate",
      "--replicas",
      "2",
      "--seed",
      "7",
      "--rpm",
      String(quota.rpm),
      "--faults",
      "0.05",
      "--latency-ms",
      "400"
    ],
    { stdio: ["ignore", "pipe", "inherit"] }
  )
  const urls: Array<string> = []
  const lines = createInterface({ input: child.stdout })
  await new Promise<void>((resolve) => {
    lines.on("line", (line) => {
      if (line.startsWith("http://")) urls.push(line.trim())
      if (urls.length === 2) resolve()
    })
    lines.on("close", resolve)
  })
  if (urls.length < 2) throw new Error("the simulated replicas did not start")
  return { urls, stop: () => child.kill("SIGTERM") }
}

const exit =
  wanted.length > 0
    ? await run([...generate, "--output-jsonl", answers, ...wanted])
    : await simulated()
process.exit(exit)
