import { assert, describe, it } from "@effect/vitest"
import type { AttemptError } from "@infermesh/core/provider/Provider"
import * as Messages from "@infermesh/providers/anthropic/Messages"
import { Result } from "effect"
import { Prompt } from "effect/ai"

import { prompt, refusal } from "../Request.ts"

const encode = (messages: ReadonlyArray<unknown>) =>
  Result.getOrThrow(Messages.encode(prompt(messages)))

const user = (parts: ReadonlyArray<Prompt.UserMessagePart>) =>
  Prompt.fromMessages([Prompt.makeMessage("user", { content: [...parts], options: {} })])

const file = (
  mediaType: string,
  data: string | Uint8Array | URL,
  options: Prompt.ProviderOptions = {}
) => Prompt.makePart("file", { mediaType, data, options })

const blockOf = (part: Prompt.FilePart): unknown => {
  const [message] = Result.getOrThrow(Messages.encode(user([part]))).messages
  assert(message !== undefined)
  return (message["content"] as ReadonlyArray<unknown>)[0]
}

const refusalOf = (result: Result.Result<unknown, AttemptError>) => refusal(result)

describe("the system text", () => {
  it("stands beside the messages, one text as a text and several as blocks", () => {
    assert.deepStrictEqual(encode([{ role: "system", content: "be brief" }]), {
      system: "be brief",
      messages: []
    })
    assert.deepStrictEqual(
      encode([
        { role: "system", content: "be brief" },
        { role: "developer", content: "and kind" },
        { role: "user", content: "hi" }
      ]),
      {
        system: [
          { type: "text", text: "be brief" },
          { type: "text", text: "and kind" }
        ],
        messages: [{ role: "user", content: [{ type: "text", text: "hi" }] }]
      }
    )
  })

  it("keeps the cache breakpoints of its blocks", () => {
    const cached = { type: "text", text: "long", cache_control: { type: "ephemeral" } }
    const blocks = [{ type: "text", text: "first" }, cached]
    assert.deepStrictEqual(encode([{ role: "system", content: blocks }]).system, blocks)
  })

  it("stays in its place in the middle of a conversation", () => {
    const { messages } = encode([
      { role: "user", content: "hi" },
      { role: "system", content: "now in French" }
    ])
    assert.deepStrictEqual(messages[1], {
      role: "system",
      content: [{ type: "text", text: "now in French" }]
    })
  })
})

describe("a conversation", () => {
  it("puts the results of parallel tool calls into one message, before the user's words", () => {
    const { messages } = encode([
      { role: "user", content: "weather?" },
      {
        role: "assistant",
        content: "I look.",
        tool_calls: [
          { id: "c1", type: "function", function: { name: "f", arguments: '{"city": "Rome"}' } },
          { id: "c2", type: "function", function: { name: "g", arguments: "" } }
        ]
      },
      { role: "tool", tool_call_id: "c1", content: "sunny" },
      { role: "tool", tool_call_id: "c2", content: "17" },
      { role: "user", content: "and?" }
    ])
    assert.deepStrictEqual(messages, [
      { role: "user", content: [{ type: "text", text: "weather?" }] },
      {
        role: "assistant",
        content: [
          { type: "text", text: "I look." },
          { type: "tool_use", id: "c1", name: "f", input: { city: "Rome" } },
          { type: "tool_use", id: "c2", name: "g", input: {} }
        ]
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "c1", content: "sunny" },
          { type: "tool_result", tool_use_id: "c2", content: "17" },
          { type: "text", text: "and?" }
        ]
      }
    ])
  })

  it("sends thinking back with its signature, redacted thinking as it came, and other providers' not at all", () => {
    const { messages } = Result.getOrThrow(
      Messages.encode(
        Prompt.fromMessages([
          Prompt.makeMessage("assistant", {
            content: [
              Prompt.makePart("reasoning", {
                text: "hm",
                options: { anthropic: { signature: "s1" } }
              }),
              Prompt.makePart("reasoning", {
                text: "",
                options: { anthropic: { type: "redacted_thinking", data: "xyz" } }
              }),
              Prompt.makePart("reasoning", { text: "theirs", options: {} }),
              Prompt.makePart("text", { text: "", options: {} }),
              Prompt.makePart("text", {
                text: "yes",
                options: { anthropic: { cache_control: { type: "ephemeral" } } }
              })
            ],
            options: {}
          })
        ])
      )
    )
    assert.deepStrictEqual(messages, [
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "hm", signature: "s1" },
          { type: "redacted_thinking", data: "xyz" },
          { type: "text", text: "yes", cache_control: { type: "ephemeral" } }
        ]
      }
    ])
  })

  it("tells a failed tool, and shows what the tool shows the model", () => {
    const { messages } = Result.getOrThrow(
      Messages.encode(
        Prompt.fromMessages([
          Prompt.makeMessage("tool", {
            content: [
              Prompt.makePart("tool-result", {
                id: "c1",
                name: "f",
                isFailure: true,
                result: { code: 7 },
                providerExecuted: false,
                options: {}
              }),
              Prompt.makePart("tool-result", {
                id: "c2",
                name: "g",
                isFailure: false,
                result: "…",
                modelOutput: [
                  Prompt.makePart("text", { text: "a cat", options: {} }),
                  file("image/png", "AAAA")
                ],
                providerExecuted: false,
                options: {}
              })
            ],
            options: {}
          })
        ])
      )
    )
    assert.deepStrictEqual(messages[0]?.["content"], [
      { type: "tool_result", tool_use_id: "c1", content: '{"code":7}', is_error: true },
      {
        type: "tool_result",
        tool_use_id: "c2",
        content: [
          { type: "text", text: "a cat" },
          { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } }
        ]
      }
    ])
  })

  it("refuses what it has no place for", () => {
    const name = [{ role: "user", content: "hi", name: "ann" }]
    assert.include(refusalOf(Messages.encode(prompt(name))), "'name'")
    const audio = [
      {
        role: "user",
        content: [{ type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }]
      }
    ]
    assert.include(refusalOf(Messages.encode(prompt(audio))), "audio/wav")
    const video = [{ role: "user", content: [{ type: "video_url", video_url: {} }] }]
    assert.include(refusalOf(Messages.encode(prompt(video))), "video_url")
    const broken = [
      {
        role: "assistant",
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: '{"a' } }]
      }
    ]
    assert.include(refusalOf(Messages.encode(prompt(broken))), "'f'")
  })
})

describe("a file", () => {
  it("is an image: inline, by address, or uploaded", () => {
    assert.deepStrictEqual(blockOf(file("image/webp", new Uint8Array([1, 2, 3]))), {
      type: "image",
      source: { type: "base64", media_type: "image/webp", data: "AQID" }
    })
    assert.deepStrictEqual(blockOf(file("image/*", new URL("https://e.com/c.jpg"))), {
      type: "image",
      source: { type: "url", url: "https://e.com/c.jpg" }
    })
    assert.deepStrictEqual(blockOf(file("image/png", "", { openai: { file_id: "file_1" } })), {
      type: "image",
      source: { type: "file", file_id: "file_1" }
    })
  })

  it("shows its own type where the caller does not say it", () => {
    assert.deepStrictEqual(blockOf(file("image/*", "iVBORw0KGgoAAAA=")), {
      type: "image",
      source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgoAAAA=" }
    })
  })

  it("is a document: PDF inline or by address, or plain text", () => {
    const pdf = Prompt.makePart("file", {
      mediaType: "application/pdf",
      data: "JVBERi0xLjQ=",
      fileName: "report.pdf",
      options: { anthropic: { citations: { enabled: true } } }
    })
    assert.deepStrictEqual(blockOf(pdf), {
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBERi0xLjQ=" },
      title: "report.pdf",
      citations: { enabled: true }
    })
    assert.deepStrictEqual(blockOf(file("application/pdf", "https://e.com/a.pdf")), {
      type: "document",
      source: { type: "url", url: "https://e.com/a.pdf" }
    })
    assert.deepStrictEqual(blockOf(file("text/markdown", new TextEncoder().encode("# Größe"))), {
      type: "document",
      source: { type: "text", media_type: "text/plain", data: "# Größe" }
    })
  })

  it("may be a block of the API's own, from messages or from an answer", () => {
    const block = { type: "document", source: { type: "url", url: "https://e.com/a.pdf" } }
    const { messages } = encode([{ role: "user", content: [block] }])
    assert.deepStrictEqual(messages[0]?.["content"], [block])
    const search = { type: "server_tool_use", id: "s", name: "web_search", input: { query: "q" } }
    const kept = file("application/octet-stream", "", { anthropic: { block: search } })
    assert.deepStrictEqual(blockOf(kept), search)
  })
})
