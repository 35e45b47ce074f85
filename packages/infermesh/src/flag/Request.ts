/**
 * The flags that say how each row of `generate` is asked: endpoint, sampling, system message, form of the answer.
 *
 * @since 0.1.0
 */
import * as Flag from "effect/cli/Flag"

import { toggle } from "./Toggle.ts"

/**
 * Further fields of the request body, which every operation takes.
 *
 * @category flags
 * @since 0.1.0
 */
export const extraBody = {
  extraBody: Flag.String("extra-body").pipe(
    Flag.withDescription("JSON object of further fields for the request body"),
    Flag.withMetavar("JSON"),
    Flag.optional
  )
}

/**
 * Endpoint, sampling, system message, JSON Schema of the answer, further fields of the body.
 *
 * @category flags
 * @since 0.1.0
 */
export const request = {
  endpoint: Flag.Literals("endpoint", ["chat_completion", "text_completion", "responses"]).pipe(
    Flag.withDescription("The provider's endpoint; default chat_completion"),
    Flag.withDefault("chat_completion" as const)
  ),
  temperature: Flag.Finite("temperature").pipe(
    Flag.withDescription("Sampling temperature, 0 to 2"),
    Flag.optional
  ),
  topP: Flag.Finite("top-p").pipe(Flag.withDescription("Nucleus sampling, 0 to 1"), Flag.optional),
  maxTokens: Flag.Int("max-tokens").pipe(
    Flag.withDescription("Most tokens of an answer"),
    Flag.optional
  ),
  stop: Flag.String("stop").pipe(
    Flag.withMetavar("TEXT"),
    Flag.withDescription("Text at which the answer ends; repeatable"),
    Flag.atLeast(0)
  ),
  seed: Flag.Int("seed").pipe(Flag.withDescription("Sampling seed"), Flag.optional),
  system: Flag.String("system").pipe(
    Flag.withDescription("System message before every row that has none"),
    Flag.withMetavar("TEXT"),
    Flag.optional
  ),
  schema: Flag.String("schema").pipe(
    Flag.withDescription("JSON Schema file that answers must fit; they are parsed by it"),
    Flag.withMetavar("FILE"),
    Flag.optional
  ),
  parseJson: toggle(
    "parse-json",
    "Parse answers as JSON into output_parsed, null where it is none; nothing is asked for or checked"
  ),
  ...extraBody
}
