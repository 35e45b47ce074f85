import * as Anthropic from "@infermesh/providers/anthropic/Anthropic"
import * as Gemini from "@infermesh/providers/gemini/Gemini"
import * as Compatible from "@infermesh/providers/openai/Compatible"
import type { Dialect } from "@infermesh/providers/openai/Dialect"
import { openai } from "@infermesh/providers/openai/OpenAi"
import { azure } from "@infermesh/providers/vendor/Azure"
import { deepSeek } from "@infermesh/providers/vendor/DeepSeek"
import { groq } from "@infermesh/providers/vendor/Groq"
import { mistral } from "@infermesh/providers/vendor/Mistral"
import { vllm } from "@infermesh/providers/vendor/Vllm"

import * as ProviderContract from "./ProviderContract.ts"

const compatible = (
  dialect: Dialect,
  {
    lacks = [],
    unknown
  }: Pick<ProviderContract.Subject, "unknown"> & Partial<ProviderContract.Subject>
): ProviderContract.Subject => ({
  provider: Compatible.provider(dialect),
  model: "m",
  apiBase: "http://sim.local/v1",
  lacks,
  unknown
})

ProviderContract.suite("OpenAI chat", compatible(openai, { unknown: [{ topK: 1 }] }))

ProviderContract.suite("OpenAI completions", {
  ...compatible(openai, {
    lacks: ["tools", "structured output"],
    unknown: [
      { topK: 1 },
      { reasoningEffort: "low" },
      { serviceTier: "flex" },
      { metadata: { a: "b" } }
    ]
  }),
  endpoint: "text_completion"
})

ProviderContract.suite("OpenAI responses", {
  ...compatible(openai, {
    lacks: ["n"],
    unknown: [{ seed: 1 }, { stop: "x" }, { topK: 1 }]
  }),
  endpoint: "responses"
})

ProviderContract.suite(
  "vLLM",
  compatible(vllm, { unknown: [{ serviceTier: "flex" }, { metadata: { a: "b" } }] })
)

ProviderContract.suite("Azure", compatible(azure, { unknown: [{ topK: 1 }] }))

ProviderContract.suite(
  "Groq",
  compatible(groq, { lacks: ["n"], unknown: [{ logprobs: true }, { topLogprobs: 2 }] })
)

ProviderContract.suite(
  "DeepSeek",
  compatible(deepSeek, { lacks: ["n"], unknown: [{ seed: 1 }, { user: "u" }] })
)

ProviderContract.suite(
  "Mistral",
  compatible(mistral, {
    lacks: ["stream usage"],
    unknown: [{ logprobs: true }, { serviceTier: "flex" }, { topK: 1 }]
  })
)

ProviderContract.suite("Anthropic", {
  provider: Anthropic.provider,
  model: "claude-sonnet-4-5",
  apiBase: "http://sim.local/v1",
  lacks: ["n", "content filter"],
  unknown: [{ seed: 1 }, { logprobs: true }, { presencePenalty: 1 }]
})

ProviderContract.suite("Gemini", {
  provider: Gemini.provider,
  model: "gemini-2.5-flash",
  apiBase: "http://sim.local/v1beta",
  lacks: ["rate limits"],
  unknown: [{ user: "u" }, { metadata: { a: "b" } }]
})
