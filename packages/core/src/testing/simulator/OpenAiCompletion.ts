/**
 * The wire format of OpenAI's completions of text, whole and streamed: the endpoint before chat.
 *
 * **Details**: several prompts give `n` choices each, in the order of the prompts. `best_of` is paid and the first `n` are
 * given, since all are equally good here.
 *
 * **Source**: OpenAI API reference, "Completions" (legacy; read November 2026), recorded responses of the API.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import * as Cutoff from "./Cutoff.ts"
import { Fingerprint } from "./Draw.ts"
import { type CompletionRequest, decode } from "./OpenAiCompletionRequest.ts"
import * as OpenAiHttp from "./OpenAiHttp.ts"
import * as Prose from "./Prose.ts"
import { pieces, tokensOf } from "./TokenCount.ts"
import type { AnswerContext, WireAnswer, WireFormat } from "./WireFormat.ts"

/**
 * POST /v1/completions.
 *
 * @category formats
 * @since 0.1.0
 */
export const format: WireFormat = {
  name: "openai-completion",
  vendor: OpenAiHttp.vendor,
  metered: true,
  contentFaults: ["noChoices", "contentFilter"],
  matches: OpenAiHttp.isPost("/completions"),
  decode: (request, limits) =>
    Result.map(decode(request, limits), (asked) => ({
      model: asked.model,
      hash: asked.prompts.reduce(
        (print, { text }) => print.add(text),
        new Fingerprint().add(asked.model)
      ).value,
      promptTokens: asked.promptTokens,
      stream: asked.stream,
      answer: (context) => answer(asked, context)
    }))
}

interface Choice {
  readonly prompt: string
  readonly text: string
  readonly finishReason: "stop" | "length" | "content_filter"
}

const answer = (request: CompletionRequest, context: AnswerContext): WireAnswer => {
  const choices: Array<Choice> = []
  let completionTokens = 0
  for (const [position, { text }] of request.prompts.entries()) {
    for (let index = 0; index < request.bestOf; index++) {
      const choice = speak(request, context, text, position * request.bestOf + index)
      completionTokens += tokensOf(choice.text)
      if (index < request.choices) choices.push(choice)
    }
  }
  const usage = {
    prompt_tokens: request.promptTokens,
    completion_tokens: completionTokens,
    total_tokens: request.promptTokens + completionTokens
  }
  const given = context.fault === "noChoices" ? [] : choices
  return {
    completionTokens,
    body: () =>
      JSON.stringify({
        ...head(request, context),
        choices: given.map((choice, index) => {
          const text = request.echo ? choice.prompt + choice.text : choice.text
          return {
            text,
            index,
            logprobs: logprobs(request, context, pieces(text), 0, index),
            finish_reason: choice.finishReason
          }
        }),
        usage
      }),
    stream: {
      events: () => events(request, context, given, usage),
      failure: OpenAiHttp.errorEvents
    }
  }
}

const head = (request: CompletionRequest, context: AnswerContext) => ({
  id: `cmpl-${context.id}`,
  object: "text_completion",
  created: context.createdSeconds,
  model: request.model
})

const speak = (
  request: CompletionRequest,
  context: AnswerContext,
  prompt: string,
  ordinal: number
): Choice => {
  if (context.fault === "contentFilter") return { prompt, text: "", finishReason: "content_filter" }
  const draw = context.draw("text", ordinal)
  const { max, min } = context.outputTokens
  const whole = Prose.sentences(draw, draw.between(min, max))
  const { reason, text } = Cutoff.make(whole, request.stop, request.maxTokens)
  return { prompt, text, finishReason: reason === "length" ? "length" : "stop" }
}

/** Log probabilities of tokens, the first of which begins at this offset of the text. */
const logprobs = (
  { logprobs: alternatives }: CompletionRequest,
  context: AnswerContext,
  tokens: ReadonlyArray<string>,
  offset: number,
  ordinal: number
) => {
  if (alternatives === undefined) return null
  const draw = context.draw(`logprobs at ${offset}`, ordinal)
  let end = offset
  const list = tokens.map((token) => {
    const start = end
    end += token.length
    const logprob = -draw.next()
    const others = Array.from({ length: alternatives }, (_, rank) =>
      // The token that was taken is the likeliest; each further one is ten times less likely, or less.
      rank === 0 ? [token, logprob] : [draw.letters(2), logprob - 2.3 * rank - draw.next()]
    )
    return { token, start, logprob, top: Object.fromEntries(others) as { [token: string]: number } }
  })
  return {
    tokens: list.map(({ token }) => token),
    token_logprobs: list.map(({ logprob }) => logprob),
    top_logprobs: list.map(({ top }) => top),
    text_offset: list.map(({ start }) => start)
  }
}

// ---- streamed

const events = (
  request: CompletionRequest,
  context: AnswerContext,
  choices: ReadonlyArray<Choice>,
  usage: object
): ReadonlyArray<string> => {
  const { model, ...rest } = head(request, context)
  const event = (choice: object): string =>
    `data: ${JSON.stringify({
      ...rest,
      choices: [choice],
      model,
      ...(request.includeUsage && { usage: null })
    })}\n\n`
  const lanes = choices.map((choice, index) => steps(request, context, choice, index).map(event))
  const longest = Math.max(0, ...lanes.map((lane) => lane.length))
  const all: Array<string> = []
  // The choices of one request are generated side by side, so their chunks alternate.
  for (let position = 0; position < longest; position++) {
    for (const lane of lanes) {
      const step = lane[position]
      if (step !== undefined) all.push(step)
    }
  }
  if (request.includeUsage) {
    all.push(`data: ${JSON.stringify({ ...rest, model, usage, choices: [] })}\n\n`)
  }
  all.push("data: [DONE]\n\n")
  return all
}

/** The chunks of one choice: an echoed prompt, the tokens; the last one says why it ended. */
const steps = (
  request: CompletionRequest,
  context: AnswerContext,
  choice: Choice,
  index: number
): ReadonlyArray<object> => {
  const texts = [...(request.echo ? [choice.prompt] : []), ...pieces(choice.text)]
  if (texts.length === 0) texts.push("")
  let offset = 0
  return texts.map((text, position) => {
    const start = offset
    offset += text.length
    return {
      text,
      index,
      logprobs: logprobs(request, context, pieces(text), start, index),
      finish_reason: position === texts.length - 1 ? choice.finishReason : null
    }
  })
}
