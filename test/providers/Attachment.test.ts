import { assert, describe, it } from "@effect/vitest"
import { audio } from "@infermesh/core/operation/AudioBlock"
import { document } from "@infermesh/core/operation/Document"
import { image } from "@infermesh/core/operation/Image"
import * as Message from "@infermesh/core/operation/Message"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import { explain } from "@infermesh/core/Reason"
import * as AnthropicMessages from "@infermesh/providers/anthropic/Messages"
import * as GeminiContents from "@infermesh/providers/gemini/Contents"
import * as OpenAiMessages from "@infermesh/providers/openai/Messages"
import { openai } from "@infermesh/providers/openai/OpenAi"
import { Effect, FileSystem, Result } from "effect"
import type { Prompt } from "effect/ai"

const bytes = (text: string) => Uint8Array.from([...text].map((char) => char.charCodeAt(0)))
const base64 = (text: string) => Buffer.from(bytes(text)).toString("base64")
const [pdf, text, png, wav] = ["%PDF-1.7", "hello", "\x89PNG\r\n\x1a\n", "RIFF....WAVE"] as const

const blocks = {
  pdf: document(bytes(pdf), { fileName: "a.pdf" }),
  pdfAddress: document("https://e.com/a.pdf"),
  text: document(bytes(text), { fileName: "a.txt" }),
  image: image(bytes(png)),
  audio: audio(bytes(wav))
}

type Encode = (prompt: Prompt.Prompt) => Result.Result<unknown, AttemptError>

/** The content that one block becomes, or why the provider cannot be given it. */
const encoded = (block: keyof typeof blocks, encode: Encode) =>
  Effect.gen(function* () {
    const message = { role: "user" as const, content: [yield* blocks[block]] }
    return Result.match(encode(yield* Effect.fromResult(Message.toPrompt([message]))), {
      onSuccess: (content) => content,
      onFailure: ({ outcome, reason }) => `${outcome}: ${explain(reason)}`
    })
  }).pipe(Effect.provide(FileSystem.layerNoop({})))

const vendors: ReadonlyArray<
  readonly [string, Encode, { readonly [K in keyof typeof blocks]: unknown }]
> = [
  [
    "OpenAI's chat",
    (prompt) =>
      Result.map(OpenAiMessages.encode(prompt, openai), ([message]) => message?.["content"]),
    {
      pdf: [
        {
          type: "file",
          file: { filename: "a.pdf", file_data: `data:application/pdf;base64,${base64(pdf)}` }
        }
      ],
      pdfAddress: /^unsent: .* a web address of type application.pdf/,
      text: [
        {
          type: "file",
          file: { filename: "a.txt", file_data: `data:text/plain;base64,${base64(text)}` }
        }
      ],
      image: [{ type: "image_url", image_url: { url: `data:image/png;base64,${base64(png)}` } }],
      audio: [{ type: "input_audio", input_audio: { data: base64(wav), format: "wav" } }]
    }
  ],
  [
    "Anthropic",
    (prompt) =>
      Result.map(
        AnthropicMessages.encode(prompt),
        ({ messages: [message] }) => message?.["content"]
      ),
    {
      pdf: [
        {
          type: "document",
          title: "a.pdf",
          source: { type: "base64", media_type: "application/pdf", data: base64(pdf) }
        }
      ],
      pdfAddress: [{ type: "document", source: { type: "url", url: "https://e.com/a.pdf" } }],
      text: [
        {
          type: "document",
          title: "a.txt",
          source: { type: "text", media_type: "text/plain", data: text }
        }
      ],
      image: [
        {
          type: "image",
          source: { type: "base64", media_type: "image/png", data: base64(png) }
        }
      ],
      audio: /^unsent: anthropic does not support files of type audio.wav. It takes images, PDF/
    }
  ],
  [
    "Gemini",
    (prompt) =>
      Result.map(
        GeminiContents.encode(prompt, "gemini-3-pro"),
        ({ contents: [content] }) => content?.["parts"]
      ),
    {
      pdf: [{ inlineData: { mimeType: "application/pdf", data: base64(pdf) } }],
      pdfAddress: [{ fileData: { fileUri: "https://e.com/a.pdf", mimeType: "application/pdf" } }],
      text: [{ inlineData: { mimeType: "text/plain", data: base64(text) } }],
      image: [{ inlineData: { mimeType: "image/png", data: base64(png) } }],
      audio: [{ inlineData: { mimeType: "audio/wav", data: base64(wav) } }]
    }
  ]
]

describe("images, documents and sounds", () => {
  for (const [vendor, encode, expected] of vendors) {
    for (const block of Object.keys(blocks) as ReadonlyArray<keyof typeof blocks>) {
      const wanted = expected[block]
      const what = wanted instanceof RegExp ? "are refused by" : "are written for"
      it.effect(`${what} ${vendor}: ${block}`, () =>
        Effect.gen(function* () {
          const given = yield* encoded(block, encode)
          if (wanted instanceof RegExp) assert.match(String(given), wanted)
          else assert.deepStrictEqual(given, wanted)
        })
      )
    }
  }
})
