/**
 * Plausible short English for simulated answers.
 *
 * It says nothing about the prompt; it only reads like text, has the length asked for and is the same for the same draws.
 *
 * @since 0.1.0
 */
import type { Draw } from "./Draw.ts"
import { bytesPerToken } from "./TokenCount.ts"

/**
 * Sentences of at most this many tokens together, and of a few less where the last word would not fit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sentences = (draw: Draw, tokens: number): string => {
  const length = tokens * bytesPerToken
  let text = ""
  while (text.length < length) text += (text === "" ? "" : " ") + sentence(draw)
  if (text.length <= length) return text
  const shortened = text.slice(0, length - 1)
  const space = shortened.lastIndexOf(" ")
  return `${(space > 0 ? shortened.slice(0, space) : shortened).replace(/[.,]$/, "")}.`
}

/**
 * Words without punctuation, separated by spaces.
 *
 * @category constructors
 * @since 0.1.0
 */
export const words = (draw: Draw, count: number): string => {
  let text = ""
  for (let index = 0; index < count; index++) {
    text += (index === 0 ? "" : " ") + draw.pick(index === count - 1 ? nouns : adjectives)
  }
  return text
}

const sentence = (draw: Draw): string => {
  const shape = draw.next()
  const object = `${draw.pick(articles)} ${draw.pick(adjectives)} ${draw.pick(nouns)}`
  const core = `${draw.pick(nouns)} ${draw.pick(verbs)} ${object}`
  if (shape < 0.3) return `The ${core}.`
  if (shape < 0.6) return `A ${draw.pick(adjectives)} ${core}.`
  if (shape < 0.8) return `The ${core} ${draw.pick(places)} the ${draw.pick(nouns)}.`
  return `${draw.pick(openings)}, the ${core}.`
}

// Every word begins with a consonant, so that "a" fits before each of them.
const articles = ["the", "a", "this", "that", "one", "each"] as const
const adjectives = [
  "brief",
  "careful",
  "clear",
  "common",
  "distant",
  "familiar",
  "good",
  "large",
  "later",
  "long",
  "modern",
  "narrow",
  "new",
  "quiet",
  "recent",
  "second",
  "simple",
  "small",
  "steady",
  "warm"
] as const
const nouns = [
  "bridge",
  "case",
  "change",
  "city",
  "garden",
  "harbour",
  "library",
  "market",
  "method",
  "morning",
  "mountain",
  "number",
  "place",
  "question",
  "reason",
  "report",
  "result",
  "river",
  "road",
  "season",
  "station",
  "summer",
  "system",
  "town",
  "winter"
] as const
const verbs = [
  "brings",
  "explains",
  "follows",
  "gives",
  "keeps",
  "leaves",
  "makes",
  "meets",
  "needs",
  "shows",
  "supports",
  "takes"
] as const
const places = ["above", "across", "after", "before", "behind", "near", "under", "without"] as const
const openings = [
  "As a rule",
  "For example",
  "However",
  "In most cases",
  "In short",
  "Sometimes",
  "Usually"
] as const
