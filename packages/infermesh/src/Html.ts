/**
 * Pieces of a page of HTML with plots as inline SVG. It knows nothing of what they show.
 *
 * **Details**: colours follow the reader's light or dark scheme; a plot is an image with a label, and its numbers are a table
 * that opens below it.
 *
 * @since 0.1.0
 */

/**
 * One bar, or a stack where there are several series.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bar {
  readonly name: string
  readonly values: ReadonlyArray<number>
}

/**
 * A plot of bars.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bars {
  readonly label: string
  readonly unit: string
  /** What the values of each bar are, the lowest first. */
  readonly series: ReadonlyArray<string>
  readonly bars: ReadonlyArray<Bar>
}

const entities: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/**
 * Text as HTML.
 *
 * @category conversions
 * @since 0.1.0
 */
export const escape = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "")

const style = `
:root { color-scheme: light dark; --ink: #1d2733; --quiet: #5c6b7a; --line: #d5dce3; --ground: #ffffff; --card: #f4f6f8; --a: #2f6f9f; --b: #c8455a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --quiet: #9fb0c0; --line: #37444f; --ground: #12181e; --card: #1c252d; --a: #5aa5d6; --b: #e8798a; } }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.15rem; margin: 2.5rem 0 0; } p { color: var(--quiet); margin: .2rem 0 .8rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .6rem; }
dl div { background: var(--card); border-radius: .4rem; padding: .6rem .8rem; } dt { color: var(--quiet); font-size: .8rem; } dd { margin: 0; font-weight: 600; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--quiet); font-size: 12px; } svg line { stroke: var(--line); }
.s0 { fill: var(--a); background: var(--a); } .s1 { fill: var(--b); background: var(--b); }
.key span { display: inline-block; width: .8rem; height: .8rem; margin: 0 .3rem 0 .9rem; border-radius: .2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { text-align: right; padding: .15rem .8rem; border-bottom: 1px solid var(--line); } th:first-child, td:first-child { text-align: left; }
summary { color: var(--quiet); cursor: pointer; margin: .5rem 0; }
.share { display: grid; grid-template-columns: minmax(8rem, 16rem) 1fr 8rem; gap: .6rem; align-items: center; margin: .3rem 0; } .share i { display: block; height: .9rem; border-radius: .2rem; } .share b { font-weight: 400; text-align: right; }
`

/**
 * A whole page.
 *
 * @category rendering
 * @since 0.1.0
 */
export const page = (title: string, parts: ReadonlyArray<string>): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escape(title)}</h1>
${parts.join("\n")}
</body>
</html>
`

/**
 * Figures side by side.
 *
 * @category rendering
 * @since 0.1.0
 */
export const cards = (all: ReadonlyArray<readonly [name: string, value: string]>): string =>
  `<dl>${all.map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(value)}</dd></div>`).join("")}</dl>`

/**
 * A part with a heading.
 *
 * @category rendering
 * @since 0.1.0
 */
export const section = (heading: string, what: string, content: string): string =>
  `<section><h2>${escape(heading)}</h2><p>${escape(what)}</p>${content}</section>`

/**
 * A table with a head.
 *
 * @category rendering
 * @since 0.1.0
 */
export const table = ([head = [], ...rows]: ReadonlyArray<ReadonlyArray<string>>): string => {
  const cells = (tag: string, row: ReadonlyArray<string>) =>
    `<tr>${row.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`
  return `<table>${cells("th", head)}${rows.map((row) => cells("td", row)).join("")}</table>`
}

const nothing = "<p>Nothing yet.</p>"
const [width, height, left, bottom] = [800, 240, 56, 24]

/**
 * Bars beside one another, and their numbers.
 *
 * @category rendering
 * @since 0.1.0
 */
export const bars = ({ bars: all, label, series, unit }: Bars): string => {
  if (all.length === 0) return nothing
  const totals = all.map(({ values }) => values.reduce((sum, value) => sum + value, 0))
  const most = Math.max(1, ...totals)
  const wide = (width - left) / all.length
  const tall = height - bottom - 10
  const y = (value: number) => height - bottom - (value / most) * tall
  const drawn = all.flatMap(({ name, values }, index) => {
    let below = 0
    return values.map((value, place) => {
      const top = y(below + value)
      const rect = `<rect class="s${place}" x="${fixed(left + index * wide + wide * 0.08)}" y="${fixed(top)}" width="${fixed(wide * 0.84)}" height="${fixed(y(below) - top)}"><title>${escape(`${name}: ${value} ${series[place] ?? ""}`)}</title></rect>`
      below += value
      return value === 0 ? "" : rect
    })
  })
  const every = Math.ceil(all.length / 8)
  const names = all.map(({ name }, index) =>
    index % every === 0
      ? `<text x="${fixed(left + (index + 0.5) * wide)}" y="${height - 6}" text-anchor="middle">${escape(name)}</text>`
      : ""
  )
  const marks = [0, 0.5, 1].map(
    (share) =>
      `<line x1="${left}" x2="${width}" y1="${fixed(y(most * share))}" y2="${fixed(y(most * share))}"/><text x="${left - 6}" y="${fixed(y(most * share) + 4)}" text-anchor="end">${fixed(most * share)}</text>`
  )
  const keys =
    series.length > 1
      ? `<div class="key">${series.map((name, place) => `<span class="s${place}"></span>${escape(name)}`).join("")}</div>`
      : ""
  const numbers = table([
    ["", ...series.map((name) => `${name} ${unit}`)],
    ...all.map(({ name, values }) => [name, ...values.map(String)])
  ])
  return `${keys}<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(label)}">${marks.join("")}${drawn.join("")}${names.join("")}</svg><details><summary>As a table</summary>${numbers}</details>`
}

/** A point of a curve; `x` is a label, points are evenly apart. */
export interface Point {
  readonly x: string
  readonly y: number
}

/**
 * A curve through points, one of which may stand out, and its numbers.
 *
 * @category rendering
 * @since 0.1.0
 */
export const curve = (options: {
  readonly label: string
  readonly x: string
  readonly y: string
  readonly points: ReadonlyArray<Point>
  readonly marked?: string | undefined
}): string => {
  const { label, marked, points } = options
  if (points.length === 0) return nothing
  const most = Math.max(...points.map((point) => point.y), Number.MIN_VALUE)
  const at = (index: number) => left + ((index + 0.5) * (width - left)) / points.length
  const y = (value: number) => height - bottom - (value / most) * (height - bottom - 20)
  const line = points.map((point, index) => `${fixed(at(index))},${fixed(y(point.y))}`).join(" ")
  const dots = points.map(
    (point, index) =>
      `<circle class="${point.x === marked ? "s1" : "s0"}" cx="${fixed(at(index))}" cy="${fixed(y(point.y))}" r="${point.x === marked ? 7 : 4}"><title>${escape(`${point.x}: ${fixed(point.y)}`)}</title></circle><text x="${fixed(at(index))}" y="${height - 6}" text-anchor="middle">${escape(point.x)}</text>`
  )
  const marks = [0, 0.5, 1].map(
    (share) =>
      `<line x1="${left}" x2="${width}" y1="${fixed(y(most * share))}" y2="${fixed(y(most * share))}"/><text x="${left - 6}" y="${fixed(y(most * share) + 4)}" text-anchor="end">${fixed(most * share)}</text>`
  )
  const numbers = table([
    [options.x, options.y],
    ...points.map((point) => [point.x, fixed(point.y)])
  ])
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(label)}">${marks.join("")}<polyline points="${line}" fill="none" stroke="var(--a)" stroke-width="2"/>${dots.join("")}</svg><details><summary>As a table</summary>${numbers}</details>`
}

/**
 * Names with their share of the whole, the largest first.
 *
 * @category rendering
 * @since 0.1.0
 */
export const shares = (what: string, counts: { readonly [name: string]: number }): string => {
  const all = Object.entries(counts).toSorted(([, left], [, right]) => right - left)
  const sum = all.reduce((total, [, value]) => total + value, 0)
  if (sum === 0) return nothing
  return all
    .map(
      ([name, value]) =>
        `<div class="share" title="${escape(what)}"><span>${escape(name)}</span><i class="s0" style="width:${fixed((100 * value) / sum)}%"></i><b>${value} (${fixed((100 * value) / sum)} %)</b></div>`
    )
    .join("")
}

const fixed = (value: number): string => String(Math.round(value * 10) / 10)
