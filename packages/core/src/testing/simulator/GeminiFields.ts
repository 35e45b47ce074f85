/**
 * The fields of a request for content, each with its check.
 *
 * It is written from the API reference, not from our own client's types. Tools that Google itself runs are accepted as they
 * are and never used.
 *
 * **Source**: Gemini API reference, "Generating content" and "Caching" (`Content`, `Part`, `Tool`; read November 2026).
 *
 * @since 0.1.0
 */
import * as FieldCheck from "./FieldCheck.ts"
import * as GeminiSchema from "./GeminiSchema.ts"

const { anything, array, boolean, decimal, integer, object, oneOf, string, struct } = FieldCheck

// ---- content

const part = struct({
  text: string(),
  thought: boolean,
  thoughtSignature: string(),
  inlineData: struct({ mimeType: string(), data: string() }, ["mimeType", "data"]),
  fileData: struct({ mimeType: string(), fileUri: string() }, ["fileUri"]),
  functionCall: struct({ id: string(), name: string(), args: object }, ["name"]),
  functionResponse: struct(
    {
      id: string(),
      name: string(),
      response: object,
      parts: array(object),
      willContinue: boolean,
      scheduling: string()
    },
    ["name", "response"]
  ),
  executableCode: object,
  codeExecutionResult: object,
  videoMetadata: object,
  mediaResolution: anything,
  partMetadata: object
})

/**
 * The check of a `Content`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const content = struct({ role: string(), parts: array(part) })

// ---- tools

const name = string(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/)
const declaration = struct(
  {
    name,
    description: string(),
    behavior: oneOf("UNSPECIFIED", "BLOCKING", "NON_BLOCKING"),
    parameters: GeminiSchema.check,
    parametersJsonSchema: anything,
    response: GeminiSchema.check,
    responseJsonSchema: anything
  },
  ["name"]
)
const tool = struct({
  functionDeclarations: array(declaration),
  googleSearch: object,
  googleSearchRetrieval: object,
  codeExecution: object,
  computerUse: object,
  fileSearch: object,
  googleMaps: object,
  urlContext: object,
  mcpServers: array(object)
})
const toolConfig = struct({
  functionCallingConfig: struct({
    mode: oneOf("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"),
    allowedFunctionNames: array(string())
  }),
  retrievalConfig: object,
  includeServerSideToolInvocations: boolean
})

// ---- configuration

const generationConfig = struct({
  stopSequences: array(string(), 0, 5),
  responseMimeType: string(),
  responseSchema: GeminiSchema.check,
  responseJsonSchema: anything,
  responseModalities: array(oneOf("MODALITY_UNSPECIFIED", "TEXT", "IMAGE", "AUDIO")),
  candidateCount: integer(1, 8),
  maxOutputTokens: integer(1),
  temperature: decimal(0, 2),
  topP: decimal(0, 1),
  topK: integer(1),
  seed: integer(),
  presencePenalty: decimal(-2, 2),
  frequencyPenalty: decimal(-2, 2),
  responseLogprobs: boolean,
  logprobs: integer(0, 20),
  enableEnhancedCivicAnswers: boolean,
  speechConfig: object,
  imageConfig: object,
  mediaResolution: string(),
  thinkingConfig: struct({
    includeThoughts: boolean,
    thinkingBudget: integer(-1),
    thinkingLevel: (value, path) =>
      oneOf(
        "THINKING_LEVEL_UNSPECIFIED",
        "MINIMAL",
        "LOW",
        "MEDIUM",
        "HIGH"
      )(typeof value === "string" ? value.toUpperCase() : value, path)
  })
})
const safetySetting = struct({ category: string(), threshold: string(), method: string() }, [
  "category",
  "threshold"
])

/**
 * The check of a `GenerateContentRequest`, in the form `GeminiNames` gives it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const check = struct(
  {
    model: string(),
    contents: array(content, 1),
    systemInstruction: content,
    tools: array(tool),
    toolConfig,
    safetySettings: array(safetySetting),
    generationConfig,
    cachedContent: string(),
    serviceTier: string(),
    store: boolean
  },
  ["contents"]
)

/**
 * The fields the simulator looks at, of a body that passed {@link check}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly contents: ReadonlyArray<Content>
  readonly systemInstruction?: Content
  readonly tools?: ReadonlyArray<{ readonly functionDeclarations?: ReadonlyArray<Declaration> }>
  readonly toolConfig?: {
    readonly functionCallingConfig?: {
      readonly mode?: string
      readonly allowedFunctionNames?: ReadonlyArray<string>
    }
  }
  readonly generationConfig?: GenerationConfig
}

/**
 * A content that passed its check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Content {
  readonly role?: string
  readonly parts?: ReadonlyArray<Part>
}

/**
 * A part that passed its check.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part {
  readonly text?: string
  readonly inlineData?: object
  readonly fileData?: object
  readonly functionCall?: object
  readonly functionResponse?: object
}

/**
 * A function that the caller runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Declaration {
  readonly name: string
  readonly parameters?: unknown
  readonly parametersJsonSchema?: unknown
}

/**
 * A generation configuration that passed its check.
 *
 * @category models
 * @since 0.1.0
 */
export interface GenerationConfig {
  readonly stopSequences?: ReadonlyArray<string>
  readonly responseMimeType?: string
  readonly responseSchema?: unknown
  readonly responseJsonSchema?: unknown
  readonly candidateCount?: number
  readonly maxOutputTokens?: number
  readonly thinkingConfig?: {
    readonly includeThoughts?: boolean
    readonly thinkingBudget?: number
    readonly thinkingLevel?: string
  }
}
