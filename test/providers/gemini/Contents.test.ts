import { assert, describe, it } from "@effect/vitest"
import * as Contents from "@infermesh/providers/gemini/Contents"
import { Result } from "effect"
import { Prompt } from "effect/ai"

import { prompt, refusal } from "../Request.ts"

const model = "gemini-3-pro"

const encode = (messages: ReadonlyArray<unknown>, asked = model) =>
  Result.getOrThrow(Contents.encode(prompt(messages), asked))

const file = (
  mediaType: string,
  data: string | Uint8Array | URL,
  options: Prompt.ProviderOptions = {}
) => Prompt.makePart("file", { mediaType, data, options })

const user = (part: Prompt.UserMessagePart) =>
  Prompt.fromMessages([Prompt.makeMessage("user", { content: [part], options: {} })])

const partOf = (part: Prompt.UserMessagePart): unknown =>
  (
    Result.getOrThrow(Contents.encode(user(part), model)).contents[0] as {
      parts: ReadonlyArray<unknown>
    }
  ).parts[0]

const call = (id: string, name: string, source: string) => ({
  id,
  type: "function",
  function: { name, arguments: source }
})

describe("a conversation", () => {
  it("has its system text apart, and turns of user and model", () => {
    assert.deepStrictEqual(
      encode([
        { role: "system", content: "be brief" },
        { role: "developer", content: "and kind" },
        { role: "user", content: "hi" },
        { role: "assistant", content: "hello" },
        { role: "user", content: "bye" },
        { role: "user", content: "now" }
      ]),
      {
        systemInstruction: { parts: [{ text: "be brief" }, { text: "and kind" }] },
        contents: [
          { role: "user", parts: [{ text: "hi" }] },
          { role: "model", parts: [{ text: "hello" }] },
          { role: "user", parts: [{ text: "bye" }, { text: "now" }] }
        ]
      }
    )
  })

  it("names the function of every result, and gives ids only where the API did", () => {
    const { contents } = encode(
      [
        { role: "user", content: "weather?" },
        {
          role: "assistant",
          tool_calls: [call("gemini-call-r-0-0", "f", '{"a": 1}'), call("x7", "g", "")]
        },
        { role: "tool", tool_call_id: "gemini-call-r-0-0", content: "sunny" },
        { role: "tool", tool_call_id: "x7", content: "17" }
      ],
      "gemini-2.5-flash"
    )
    assert.deepStrictEqual(contents.slice(1), [
      {
        role: "model",
        parts: [
          { functionCall: { name: "f", args: { a: 1 } } },
          { functionCall: { id: "x7", name: "g", args: {} } }
        ]
      },
      {
        role: "user",
        parts: [
          { functionResponse: { name: "f", response: { output: "sunny" } } },
          { functionResponse: { id: "x7", name: "g", response: { output: "17" } } }
        ]
      }
    ])
  })

  it("says on newer models that the first call of a turn has no signature, where it has none", () => {
    const messages = [
      { role: "user", content: "weather?" },
      { role: "assistant", tool_calls: [call("a", "f", "{}"), call("b", "g", "{}")] }
    ]
    assert.deepStrictEqual(encode(messages).contents[1]?.["parts"], [
      {
        functionCall: { id: "a", name: "f", args: {} },
        thoughtSignature: "skip_thought_signature_validator"
      },
      { functionCall: { id: "b", name: "g", args: {} } }
    ])
  })

  it("sends signatures back with the parts they came with", () => {
    const signed = { gemini: { thoughtSignature: "s" } }
    const { contents } = Result.getOrThrow(
      Contents.encode(
        Prompt.fromMessages([
          Prompt.makeMessage("assistant", {
            content: [
              Prompt.makePart("reasoning", { text: "theirs", options: {} }),
              Prompt.makePart("reasoning", { text: "hm", options: signed }),
              Prompt.makePart("text", { text: "", options: {} }),
              Prompt.makePart("text", { text: "", options: signed }),
              Prompt.makePart("tool-call", {
                id: "c",
                name: "f",
                params: {},
                providerExecuted: false,
                options: signed
              })
            ],
            options: {}
          })
        ]),
        model
      )
    )
    assert.deepStrictEqual(contents, [
      {
        role: "model",
        parts: [
          { text: "hm", thought: true, thoughtSignature: "s" },
          { text: "", thoughtSignature: "s" },
          { functionCall: { id: "c", name: "f", args: {} }, thoughtSignature: "s" }
        ]
      }
    ])
  })

  it("tells a failed tool, an object as it is, and what a tool shows", () => {
    const result = (more: object) =>
      Prompt.makePart("tool-result", {
        id: "",
        name: "f",
        isFailure: false,
        result: { degrees: 17 },
        providerExecuted: false,
        options: {},
        ...more
      })
    const { contents } = Result.getOrThrow(
      Contents.encode(
        Prompt.fromMessages([
          Prompt.makeMessage("tool", {
            content: [
              result({}),
              result({ isFailure: true }),
              result({
                modelOutput: [
                  Prompt.makePart("text", { text: "a cat", options: {} }),
                  file("image/png", "AAAA")
                ]
              })
            ],
            options: {}
          })
        ]),
        model
      )
    )
    assert.deepStrictEqual(contents[0]?.["parts"], [
      { functionResponse: { name: "f", response: { degrees: 17 } } },
      { functionResponse: { name: "f", response: { error: { degrees: 17 } } } },
      {
        functionResponse: {
          name: "f",
          response: { output: "a cat" },
          parts: [{ inlineData: { mimeType: "image/png", data: "AAAA" } }]
        }
      }
    ])
  })

  it("refuses what it has no place for", () => {
    const refused = (messages: ReadonlyArray<unknown>) =>
      refusal(Contents.encode(prompt(messages), model))
    assert.include(refused([{ role: "user", content: "hi", name: "ann" }]), "'name'")
    assert.include(
      refused([
        { role: "user", content: "hi" },
        { role: "system", content: "now in French" }
      ]),
      "system message"
    )
    assert.include(refused([{ role: "tool", tool_call_id: "c9", content: "17" }]), "'c9'")
    assert.include(
      refused([{ role: "user", content: [{ type: "video_url", video_url: {} }] }]),
      "video_url"
    )
    assert.include(refused([{ role: "assistant", tool_calls: [call("c", "f", '{"a')] }]), "'f'")
    const bytes = file("application/octet-stream", "AAAA")
    assert.include(refusal(Contents.encode(user(bytes), model)), "octet-stream")
  })
})

describe("a file", () => {
  it("is inline or at an address, of any exact type", () => {
    assert.deepStrictEqual(partOf(file("audio/wav", new Uint8Array([1, 2, 3]))), {
      inlineData: { mimeType: "audio/wav", data: "AQID" }
    })
    assert.deepStrictEqual(partOf(file("video/mp4", new URL("https://e.com/v.mp4"))), {
      fileData: { fileUri: "https://e.com/v.mp4", mimeType: "video/mp4" }
    })
    assert.deepStrictEqual(partOf(file("image/*", "https://e.com/c")), {
      fileData: { fileUri: "https://e.com/c" }
    })
    assert.deepStrictEqual(partOf(file("image/*", "R0lGODlhAQ==")), {
      inlineData: { mimeType: "image/gif", data: "R0lGODlhAQ==" }
    })
  })

  it("may be a part of the API's own, and keeps what the caller says of it", () => {
    const code = { executableCode: { language: "PYTHON", code: "1" } }
    assert.deepStrictEqual(
      partOf(file("application/octet-stream", "", { gemini: { part: code } })),
      code
    )
    assert.deepStrictEqual(
      partOf(file("video/mp4", "AAAA", { gemini: { videoMetadata: { fps: 1 } } })),
      { inlineData: { mimeType: "video/mp4", data: "AAAA" }, videoMetadata: { fps: 1 } }
    )
  })
})
