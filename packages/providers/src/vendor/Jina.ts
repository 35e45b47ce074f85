/**
 * Jina AI: embeddings only.
 *
 * **Details**: `task`, `late_chunking` and `truncate` go into `extraBody`. Its base64 is asked for by a field of its own
 * (`embedding_type`), whose bytes the reference does not describe, so vectors come as numbers.
 *
 * **Source**: Jina "Embeddings API" reference: at most 2,048 texts, of 8,192 tokens each (read November 2026).
 *
 * @since 0.1.0
 */
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Jina's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const jina: Dialect = {
  name: "jina",
  apiBase: "https://api.jina.ai/v1",
  keyVariables: ["JINA_API_KEY"],
  embedLimits: { texts: 2048, tokens: 2048 * 8192 },
  embedUser: false,
  transcriptions: false
}
