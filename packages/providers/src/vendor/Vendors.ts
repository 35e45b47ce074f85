/**
 * The vendors and servers with an OpenAI-compatible API that are known by name.
 *
 * Each is data; any other one works as `hosted_vllm/…` with its base URL. The base URLs and key names are those of the
 * vendors' documentation (read November 2026).
 *
 * @since 0.1.0
 */
import type { Dialect } from "../openai/Dialect.ts"
import { jina } from "./Jina.ts"
import { voyage } from "./Voyage.ts"

/** Servers that users run: the base URL is theirs, a key is optional. */
const server = (name: string, apiBase: string | undefined, keyVariable: string): Dialect => ({
  name,
  apiBase,
  keyVariables: apiBase === undefined ? [keyVariable] : []
})

const vendor = (
  name: string,
  apiBase: string,
  keyVariables: ReadonlyArray<string>,
  differences: Partial<Dialect> = {}
): Dialect => ({ name, apiBase, keyVariables, ...differences })

/**
 * All of them.
 *
 * @category dialects
 * @since 0.1.0
 */
export const all: ReadonlyArray<Dialect> = [
  server("hosted_vllm", undefined, "HOSTED_VLLM_API_KEY"),
  server("sglang", undefined, "SGLANG_API_KEY"),
  server("llamacpp", "http://localhost:8080/v1", ""),
  server("ollama", "http://localhost:11434/v1", ""),
  server("lmstudio", "http://localhost:1234/v1", ""),
  vendor("groq", "https://api.groq.com/openai/v1", ["GROQ_API_KEY"], {
    maxTokensField: "max_completion_tokens"
  }),
  vendor("together", "https://api.together.xyz/v1", ["TOGETHER_API_KEY"]),
  vendor("fireworks", "https://api.fireworks.ai/inference/v1", ["FIREWORKS_API_KEY"]),
  vendor("mistral", "https://api.mistral.ai/v1", ["MISTRAL_API_KEY"], { streamUsage: false }),
  vendor("deepseek", "https://api.deepseek.com", ["DEEPSEEK_API_KEY"], {
    structuredOutput: "json_object"
  }),
  vendor("xai", "https://api.x.ai/v1", ["XAI_API_KEY"]),
  vendor("openrouter", "https://openrouter.ai/api/v1", ["OPENROUTER_API_KEY"]),
  vendor("cerebras", "https://api.cerebras.ai/v1", ["CEREBRAS_API_KEY"], {
    maxTokensField: "max_completion_tokens"
  }),
  vendor("nvidia_nim", "https://integrate.api.nvidia.com/v1", [
    "NVIDIA_API_KEY",
    "NVIDIA_NIM_API_KEY"
  ]),
  vendor("huggingface", "https://router.huggingface.co/v1", ["HF_TOKEN", "HUGGINGFACE_API_KEY"]),
  voyage,
  jina
]
