/**
 * Voyage AI: embeddings only.
 *
 * **Details**: `input_type` and `truncation` go into `extraBody`.
 *
 * **Source**: Voyage "Text embedding models" API reference: at most 1,000 texts; 120,000 tokens for the largest models and
 * more for the others (read November 2026). Its own client asks for base64.
 *
 * @since 0.1.0
 */
import type { Dialect } from "../openai/Dialect.ts"

/**
 * Voyage's dialect.
 *
 * @category dialects
 * @since 0.1.0
 */
export const voyage: Dialect = {
  name: "voyage",
  apiBase: "https://api.voyageai.com/v1",
  keyVariables: ["VOYAGE_API_KEY"],
  embedLimits: { texts: 1000, tokens: 120_000 },
  base64Embeddings: true,
  dimensionsField: "output_dimension",
  embedUser: false,
  transcriptions: false
}
