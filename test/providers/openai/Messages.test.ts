import { assert, describe, it } from "@effect/vitest"
import { AttemptError } from "@infermesh/core/provider/Provider"
import type { Dialect } from "@infermesh/providers/openai/Dialect"
import * as Messages from "@infermesh/providers/openai/Messages"
import { openai } from "@infermesh/providers/openai/OpenAi"
import { deepSeek } from "@infermesh/providers/vendor/DeepSeek"
import { groq } from "@infermesh/providers/vendor/Groq"
import { mistral } from "@infermesh/providers/vendor/Mistral"
import { openRouter } from "@infermesh/providers/vendor/OpenRouter"
import { Result } from "effect"
import { Prompt } from "effect/ai"

import { prompt, refusal } from "../Request.ts"

const written = (content: Prompt.RawInput, dialect: Dialect = openai) =>
  Result.getOrThrow(Messages.encode(Prompt.make(content), dialect))

const user = (part: Prompt.FilePart) =>
  Messages.encode(
    Prompt.fromMessages([Prompt.makeMessage("user", { content: [part], options: {} })]),
    openai
  )

const block = (part: Prompt.FilePart) => {
  const [message = {}] = Result.getOrThrow(user(part))
  return (message["content"] as ReadonlyArray<unknown>)[0]
}

const file = (
  mediaType: string,
  data: Prompt.FilePart["data"],
  more: { readonly fileName?: string; readonly options?: Prompt.ProviderOptions } = {}
) => Prompt.makePart("file", { mediaType, data, options: {}, ...more })

const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0)

describe("messages", () => {
  it("come back as they came in, with the fields nobody has a place for", () => {
    const messages: ReadonlyArray<Readonly<Record<string, unknown>>> = [
      { role: "developer", content: "be brief" },
      {
        role: "system",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" }
        ]
      },
      { role: "user", content: "hello", name: "ann" },
      {
        role: "user",
        content: [
          { type: "text", text: "see" },
          { type: "image_url", image_url: { url: "https://e.com/c.jpg", detail: "low" } },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
          { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } },
          { type: "video_url", video_url: { url: "https://e.com/v.mp4" } }
        ]
      },
      {
        role: "assistant",
        content: "see",
        tool_calls: [
          { id: "c1", type: "function", function: { name: "f", arguments: '{"a": 1}' } },
          { id: "c2", type: "function", function: { name: "g", arguments: "not json" } }
        ]
      },
      { role: "tool", tool_call_id: "c1", content: "42" },
      { role: "tool", tool_call_id: "c2", content: [{ type: "text", text: "x" }] },
      { role: "assistant", content: null, refusal: "no" },
      { role: "assistant", content: [{ type: "refusal", refusal: "no" }] }
    ]
    const back = Result.getOrThrow(Messages.encode(prompt(messages), openai))
    const refused = { role: "assistant", content: "", refusal: "no" }
    assert.deepStrictEqual(back, messages.with(7, refused))
  })

  it("refuses names where the vendor has none", () => {
    const named = prompt([{ role: "user", content: "hi", name: "ann" }])
    assert.strictEqual(refusal(Messages.encode(named, groq)), "a message's 'name'")
  })

  it("writes a tool's answer as JSON unless it is a text", () => {
    const answers = written([
      {
        role: "assistant",
        content: [
          { type: "tool-call", id: "1", name: "f", params: { a: [1] }, providerExecuted: false }
        ]
      },
      {
        role: "tool",
        content: [
          {
            type: "tool-result",
            id: "1",
            name: "f",
            isFailure: false,
            result: { b: null },
            providerExecuted: false
          }
        ]
      }
    ])
    assert.deepStrictEqual(answers, [
      {
        role: "assistant",
        tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: '{"a":[1]}' } }]
      },
      { role: "tool", tool_call_id: "1", content: '{"b":null}' }
    ])
  })
})

describe("files", () => {
  it("are images by address, by data, and by what their first bytes show", () => {
    const address = new URL("https://e.com/c.jpg")
    assert.deepStrictEqual(
      block(file("image/*", address, { options: { openai: { detail: "low" } } })),
      {
        type: "image_url",
        image_url: { url: "https://e.com/c.jpg", detail: "low" }
      }
    )
    assert.deepStrictEqual(block(file("image/webp", "AAAA")), {
      type: "image_url",
      image_url: { url: "data:image/webp;base64,AAAA" }
    })
    assert.deepStrictEqual(block(file("image/*", png)), {
      type: "image_url",
      image_url: { url: "data:image/png;base64,iVBORw0KGgoAAAAA" }
    })
  })

  it("are audio, documents with their names, uploaded files and blocks of the vendor's own", () => {
    assert.deepStrictEqual(block(file("audio/mpeg", "AAAA")), {
      type: "input_audio",
      input_audio: { data: "AAAA", format: "mp3" }
    })
    assert.deepStrictEqual(block(file("audio/x-wav", Uint8Array.of(1))), {
      type: "input_audio",
      input_audio: { data: "AQ==", format: "wav" }
    })
    assert.deepStrictEqual(block(file("application/pdf", "JVBERi0=", { fileName: "a.pdf" })), {
      type: "file",
      file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" }
    })
    assert.deepStrictEqual(
      block(file("application/octet-stream", "", { options: { openai: { file_id: "f1" } } })),
      { type: "file", file: { file_id: "f1" } }
    )
    const own = { type: "video_url", video_url: { url: "https://e.com/v.mp4" } }
    assert.deepStrictEqual(
      block(file("application/octet-stream", "", { options: { openai: { block: own } } })),
      own
    )
  })

  it("are refused where the API has no place for them", () => {
    const address = new URL("https://e.com/a.pdf")
    assert.strictEqual(
      refusal(user(file("application/pdf", address))),
      "a web address of type application/pdf"
    )
    const answer = Prompt.make([{ role: "assistant", content: [file("image/png", png)] }])
    assert.strictEqual(refusal(Messages.encode(answer, openai)), "a file in an answer")
  })
})

describe("an answer's parts for the next turn", () => {
  const thought = (options: Prompt.ProviderOptions = {}): Prompt.RawInput => [
    {
      role: "assistant",
      content: [
        Prompt.makePart("reasoning", { text: "because", options }),
        Prompt.makePart("text", { text: "so", options: {} })
      ]
    }
  ]

  it("have their reasoning where the vendor wants it, and nowhere where it has no place", () => {
    const reasoning = (dialect: Dialect) => written(thought(), dialect)[0]
    assert.deepStrictEqual(reasoning(openai), { role: "assistant", content: "so" })
    assert.deepStrictEqual(reasoning(deepSeek), {
      role: "assistant",
      content: "so",
      reasoning_content: "because"
    })
    assert.deepStrictEqual(reasoning(groq), {
      role: "assistant",
      content: "so",
      reasoning: "because"
    })
    assert.deepStrictEqual(reasoning(openRouter), {
      role: "assistant",
      content: "so",
      reasoning: "because"
    })
    assert.deepStrictEqual(reasoning(mistral), {
      role: "assistant",
      content: [
        { type: "thinking", thinking: [{ type: "text", text: "because" }] },
        { type: "text", text: "so" }
      ]
    })
  })

  it("give back the details of reasoning as they came, signatures and all", () => {
    const details = [{ type: "reasoning.text", text: "because", signature: "s" }]
    const kept = { openai: { reasoning_details: details } }
    assert.deepStrictEqual(written(thought(kept), openRouter)[0], {
      role: "assistant",
      content: "so",
      reasoning_details: details
    })
    assert.deepStrictEqual(written(thought(kept), openai)[0], { role: "assistant", content: "so" })
  })

  it("give back custom calls and what a vendor added to a call, and not what another one ran itself", () => {
    const call = (id: string, options: Prompt.ProviderOptions, providerExecuted = false) =>
      Prompt.makePart("tool-call", { id, name: "f", params: "x", providerExecuted, options })
    const extra = { google: { thought_signature: "s" } }
    const [message] = written([
      {
        role: "assistant",
        content: [
          call("1", { openai: { type: "custom", arguments: "SELECT 1" } }),
          call("2", { openai: { arguments: "{}", call: { extra_content: extra } } }),
          call("3", {}, true)
        ]
      }
    ])
    assert.deepStrictEqual(message, {
      role: "assistant",
      tool_calls: [
        { id: "1", type: "custom", custom: { name: "f", input: "SELECT 1" } },
        {
          extra_content: extra,
          id: "2",
          type: "function",
          function: { name: "f", arguments: "{}" }
        }
      ]
    })
  })

  it("leave blocks of another vendor behind", () => {
    const foreign = file("application/octet-stream", "", {
      options: { anthropic: { block: { type: "server_tool_use" } } }
    })
    const messages = written([{ role: "assistant", content: [foreign] }])
    assert.isFalse(messages instanceof AttemptError)
    assert.deepStrictEqual(messages, [{ role: "assistant", content: "" }])
  })
})
