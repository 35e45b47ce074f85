/**
 * All providers, by name. Programs that care for their start-up time import the modules themselves.
 *
 * @since 0.1.0
 */
export * as Anthropic from "./anthropic/Anthropic.ts"
export * as Gemini from "./gemini/Gemini.ts"
export * as OpenAi from "./openai/OpenAi.ts"
export * as Providers from "./Providers.ts"
