/** Two plots as SVG: bars of what was admitted and refused in each second, and how long requests waited. */
import type { Record } from "../harness/Run.ts"
import type { Records } from "../harness/Suite.ts"

const width = 720
const panelHeight = 110
const margin = { left: 52, right: 12, top: 28, bottom: 24 }
const inner = width - margin.left - margin.right

const names = {
  ours: "infermesh",
  backoff: "semaphore and backoff",
  bucket: "bucket that starts full"
}
const colors = {
  admitted: "#2f6f9f",
  refused: "#d1495b",
  ours: "#2f6f9f",
  backoff: "#d1882f",
  bucket: "#7a7a7a"
}

const round = (value: number) => Math.round(value * 10) / 10

const svg = (title: string, height: number, body: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" role="img" aria-label="${title}">
<title>${title}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${body}</svg>
`

const text = (x: number, y: number, content: string, more = "") =>
  `<text x="${round(x)}" y="${round(y)}" fill="#333333"${more}>${content}</text>\n`

/** A mark every so many seconds: about eight of them. */
const stepOf = (seconds: number) =>
  [10, 30, 60, 120, 300, 600].find((step) => seconds / step <= 8) ?? 1200

const axis = (seconds: number, y: number) => {
  let body = `<line x1="${margin.left}" x2="${width - margin.right}" y1="${y}" y2="${y}" stroke="#999999"/>\n`
  for (let at = 0; at <= seconds; at += stepOf(seconds))
    body += text(margin.left + (at / seconds) * inner, y + 14, `${at} s`, ' text-anchor="middle"')
  return body
}

const bins = 120

interface Bars {
  readonly admitted: ReadonlyArray<number>
  readonly refused: ReadonlyArray<number>
}

const barsOf = ({ attempts }: Record, seconds: number): Bars => {
  const admitted = new Array<number>(bins).fill(0)
  const refused = new Array<number>(bins).fill(0)
  for (const { atMillis, outcome } of attempts) {
    const bin = Math.min(bins - 1, Math.floor((atMillis / 1000 / seconds) * bins))
    const counts = outcome === "refused" ? refused : admitted
    counts[bin] = (counts[bin] ?? 0) + bins / seconds
  }
  return { admitted, refused }
}

const clients = ["ours", "backoff", "bucket"] as const

/** Attempts a second over time, one panel a client, all on one scale; the highest bars are cut. */
export const traffic = (name: string, records: Records): string => {
  const seconds = Math.max(
    ...clients.flatMap((client) => records[client].settled.map(({ atMillis }) => atMillis / 1000))
  )
  const bars = clients.map((client) => barsOf(records[client], seconds))
  const heights = bars.flatMap(({ admitted, refused }) =>
    admitted.map((count, bin) => count + (refused[bin] ?? 0))
  )
  const most = Math.max(
    1,
    heights.toSorted((left, right) => left - right)[Math.floor(heights.length * 0.99)] ?? 1
  )
  let body = ""
  for (const [index, client] of clients.entries()) {
    const top = margin.top + index * (panelHeight + margin.top + margin.bottom)
    const bottom = top + panelHeight
    body += text(margin.left, top - 8, names[client], ' font-weight="bold"')
    body += text(margin.left - 6, top + 8, `${Math.round(most)}/s`, ' text-anchor="end"')
    for (let bin = 0; bin < bins; bin++) {
      const { admitted, refused } = bars[index] ?? { admitted: [], refused: [] }
      let y = bottom
      for (const [count, color] of [
        [admitted[bin] ?? 0, colors.admitted],
        [refused[bin] ?? 0, colors.refused]
      ] as const) {
        const height = Math.min(y - top, (count / most) * panelHeight)
        if (height < 0.05) continue
        y -= height
        body += `<rect x="${round(margin.left + (bin / bins) * inner)}" y="${round(y)}" width="${round(inner / bins - 0.8)}" height="${round(height)}" fill="${color}"/>\n`
      }
    }
    body += axis(seconds, bottom)
  }
  const height = clients.length * (panelHeight + margin.top + margin.bottom)
  return svg(`Attempts a second, ${name}: admitted blue, refused red`, height, body)
}

/** The share of requests that waited no longer than so many seconds. */
export const waits = (
  name: string,
  waitsOf: { readonly [client in keyof Records]: ReadonlyArray<number> }
): string => {
  const height = 240
  const bottom = height - margin.bottom
  const tall = bottom - margin.top
  const seconds = Math.max(1, ...clients.map((client) => waitsOf[client].at(-1) ?? 0))
  let body = axis(seconds, bottom)
  for (const share of [0, 0.5, 1])
    body += text(
      margin.left - 6,
      bottom - share * tall + 4,
      `${share * 100} %`,
      ' text-anchor="end"'
    )
  for (const [index, client] of clients.entries()) {
    const sorted = waitsOf[client]
    const points = Array.from({ length: 101 }, (_, percent) => {
      const wait =
        sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))] ?? 0
      return `${round(margin.left + (wait / seconds) * inner)},${round(bottom - (percent / 100) * tall)}`
    })
    body += `<polyline points="${points.join(" ")}" fill="none" stroke="${colors[client]}" stroke-width="2"/>\n`
    body += text(
      margin.left + 8 + index * 190,
      margin.top - 12,
      names[client],
      ` style="fill:${colors[client]}" font-weight="bold"`
    )
  }
  return svg(`Share of requests that waited no longer, ${name}`, height, body)
}
