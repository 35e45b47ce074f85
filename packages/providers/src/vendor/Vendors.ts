/**
 * The vendors and servers with an OpenAI-compatible API that are known by name, each a file of its own.
 *
 * Any other one works as `hosted_vllm/…` with its base URL, or as a `Dialect` of the user's own.
 *
 * @since 0.1.0
 */
import type { Dialect } from "../openai/Dialect.ts"
import { azure } from "./Azure.ts"
import { cerebras } from "./Cerebras.ts"
import { deepSeek } from "./DeepSeek.ts"
import { fireworks } from "./Fireworks.ts"
import { groq } from "./Groq.ts"
import { huggingFace } from "./HuggingFace.ts"
import { jina } from "./Jina.ts"
import { llamaCpp } from "./LlamaCpp.ts"
import { lmStudio } from "./LmStudio.ts"
import { mistral } from "./Mistral.ts"
import { nvidiaNim } from "./NvidiaNim.ts"
import { ollama } from "./Ollama.ts"
import { openRouter } from "./OpenRouter.ts"
import { sgLang } from "./SgLang.ts"
import { together } from "./Together.ts"
import { vllm } from "./Vllm.ts"
import { voyage } from "./Voyage.ts"
import { xai } from "./Xai.ts"

/**
 * All of them but OpenAI.
 *
 * @category dialects
 * @since 0.1.0
 */
export const all: ReadonlyArray<Dialect> = [
  vllm,
  sgLang,
  llamaCpp,
  ollama,
  lmStudio,
  azure,
  groq,
  together,
  fireworks,
  mistral,
  deepSeek,
  xai,
  openRouter,
  cerebras,
  nvidiaNim,
  huggingFace,
  voyage,
  jina
]
