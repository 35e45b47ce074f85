/**
 * All providers, by name. Programs that care for their start-up time import the modules themselves.
 *
 * @since 0.1.0
 */
export * as OpenAi from "./openai/OpenAi.ts"
