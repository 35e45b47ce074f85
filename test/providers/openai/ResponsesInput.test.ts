import { assert, describe, it } from "@effect/vitest"
import type { Choice } from "@infermesh/core/operation/Generate"
import * as ResponsesInput from "@infermesh/providers/openai/ResponsesInput"
import { protocol } from "@infermesh/providers/openai/ResponsesProtocol"
import { Result, Schema } from "effect"
import { Prompt } from "effect/ai"

import { prompt, refusal } from "../Request.ts"

const encode = (messages: ReadonlyArray<unknown>) =>
  Result.getOrThrow(ResponsesInput.encode(prompt(messages)))

const refusalOf = (messages: ReadonlyArray<unknown>) =>
  refusal(ResponsesInput.encode(prompt(messages)))

const user = (...parts: ReadonlyArray<Prompt.UserMessagePart>) =>
  ResponsesInput.encode(
    Prompt.fromMessages([Prompt.makeMessage("user", { content: [...parts], options: {} })])
  )

const file = (
  mediaType: string,
  data: string | Uint8Array | URL,
  more: { readonly fileName?: string; readonly options?: Prompt.ProviderOptions } = {}
) => Prompt.makePart("file", { mediaType, data, options: {}, ...more })

const blockOf = (part: Prompt.FilePart): unknown => {
  const [item] = Result.getOrThrow(user(part))
  assert(item !== undefined)
  return (item["content"] as ReadonlyArray<unknown>)[0]
}

const assistant = (content: ReadonlyArray<Prompt.AssistantMessagePart>) =>
  Prompt.makeMessage("assistant", { content: [...content], options: {} })

const toolMessage = (
  id: string,
  result: unknown,
  modelOutput?: Prompt.ToolResultPart["modelOutput"]
) =>
  Prompt.makeMessage("tool", {
    content: [
      Prompt.makePart("tool-result", {
        id,
        name: "f",
        isFailure: false,
        result,
        providerExecuted: false,
        options: {},
        ...(modelOutput === undefined ? {} : { modelOutput })
      })
    ],
    options: {}
  })

/** The answer in a response of these items. */
const choiceOf = (output: ReadonlyArray<object>, more: object = {}): Choice =>
  Result.getOrThrow(
    protocol.answer(JSON.stringify({ status: "completed", output, ...more }), {
      model: "m",
      url: "http://h/",
      headers: {},
      nowMillis: 0
    })
  ).value.choices[0]

const givenBack = (choice: Choice, ...messages: ReadonlyArray<Prompt.Message>) =>
  Result.getOrThrow(
    ResponsesInput.encode(Prompt.fromMessages([assistant(choice.content ?? []), ...messages]))
  )

describe("a conversation of chat messages", () => {
  it("becomes items, calls and their results by call_id", () => {
    assert.deepStrictEqual(
      encode([
        { role: "system", content: "be brief" },
        { role: "developer", content: "and kind" },
        { role: "user", content: "weather?" },
        {
          role: "assistant",
          content: "I look.",
          tool_calls: [
            { id: "c1", type: "function", function: { name: "f", arguments: '{"a": 1}' } },
            { id: "c2", type: "function", function: { name: "g", arguments: "" } }
          ]
        },
        { role: "tool", tool_call_id: "c1", content: "sunny" },
        { role: "tool", tool_call_id: "c2", content: [{ type: "text", text: "17" }] },
        { role: "assistant", content: "Sunny, 17." },
        { role: "user", content: "and?" }
      ]),
      [
        { role: "system", content: "be brief" },
        { role: "developer", content: "and kind" },
        { role: "user", content: "weather?" },
        { role: "assistant", content: "I look." },
        // The model's own spelling, to the byte.
        { type: "function_call", call_id: "c1", name: "f", arguments: '{"a": 1}' },
        { type: "function_call", call_id: "c2", name: "g", arguments: "" },
        { type: "function_call_output", call_id: "c1", output: "sunny" },
        {
          type: "function_call_output",
          call_id: "c2",
          output: [{ type: "input_text", text: "17" }]
        },
        { role: "assistant", content: "Sunny, 17." },
        { role: "user", content: "and?" }
      ]
    )
  })

  it("keeps lists of texts, a phase and a refusal", () => {
    assert.deepStrictEqual(
      encode([
        { role: "developer", content: [{ type: "text", text: "a" }] },
        { role: "assistant", content: "hm", phase: "commentary" },
        { role: "assistant", refusal: "no" },
        {
          role: "assistant",
          content: [
            { type: "text", text: "b" },
            { type: "text", text: "c" }
          ]
        }
      ]),
      [
        { role: "developer", content: [{ type: "input_text", text: "a" }] },
        {
          type: "message",
          role: "assistant",
          phase: "commentary",
          content: [{ type: "output_text", text: "hm" }]
        },
        { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "no" }] },
        {
          type: "message",
          role: "assistant",
          content: [
            { type: "output_text", text: "b" },
            { type: "output_text", text: "c" }
          ]
        }
      ]
    )
  })

  it("is refused with a name, for which the API has no field", () => {
    assert.strictEqual(
      refusalOf([{ role: "user", content: "hi", name: "ann" }]),
      "a message's 'name'"
    )
  })
})

describe("a file", () => {
  it("is an image by its address or its data, with the detail asked for", () => {
    assert.deepStrictEqual(
      encode([
        {
          role: "user",
          content: [
            { type: "text", text: "see" },
            { type: "image_url", image_url: { url: "https://e.com/c.jpg", detail: "low" } },
            { type: "image_url", image_url: { url: "data:image/webp;base64,AAAA" } }
          ]
        }
      ]),
      [
        {
          role: "user",
          content: [
            { type: "input_text", text: "see" },
            { type: "input_image", image_url: "https://e.com/c.jpg", detail: "low" },
            { type: "input_image", image_url: "data:image/webp;base64,AAAA" }
          ]
        }
      ]
    )
    assert.deepStrictEqual(blockOf(file("image/*", "iVBORw0KGgoAAAA")), {
      type: "input_image",
      image_url: "data:image/png;base64,iVBORw0KGgoAAAA"
    })
    assert.deepStrictEqual(blockOf(file("image/*", new Uint8Array([1, 2, 3]))), {
      type: "input_image",
      image_url: "data:image/jpeg;base64,AQID"
    })
    assert.deepStrictEqual(
      blockOf(
        file("image/png", "", { options: { openai: { file_id: "file-1", detail: "high" } } })
      ),
      { type: "input_image", file_id: "file-1", detail: "high" }
    )
  })

  it("is a document by its address, its id or its data, which has a name", () => {
    assert.deepStrictEqual(blockOf(file("application/pdf", new URL("https://e.com/a.pdf"))), {
      type: "input_file",
      file_url: "https://e.com/a.pdf"
    })
    assert.deepStrictEqual(blockOf(file("application/pdf", "JVBERi0x", { fileName: "a.pdf" })), {
      type: "input_file",
      filename: "a.pdf",
      file_data: "data:application/pdf;base64,JVBERi0x"
    })
    assert.deepStrictEqual(blockOf(file("text/plain", new Uint8Array([104, 105]))), {
      type: "input_file",
      filename: "file.txt",
      file_data: "data:text/plain;base64,aGk="
    })
    assert.deepStrictEqual(
      encode([{ role: "user", content: [{ type: "file", file: { file_id: "file-1" } }] }]),
      [{ role: "user", content: [{ type: "input_file", file_id: "file-1" }] }]
    )
  })

  it("is refused where the API takes none of its kind", () => {
    const sound = { type: "input_audio", input_audio: { data: "AAAA", format: "wav" } }
    const film = { type: "video_url", video_url: { url: "https://e.com/v.mp4" } }
    assert.strictEqual(refusalOf([{ role: "user", content: [sound] }]), "files of type audio/wav")
    assert.strictEqual(
      refusalOf([{ role: "user", content: [film] }]),
      "content blocks of type 'video_url'"
    )
    assert.strictEqual(refusal(user(file("video/mp4", "AAAA"))), "files of type video/mp4")
    assert.strictEqual(
      refusalOf([{ role: "assistant", content: [film] }]),
      "files of type application/octet-stream in an assistant's message"
    )
  })

  it("passes as it came where it is a block of this API already", () => {
    const block = { type: "input_file", file_url: "https://e.com/a.csv", own: true }
    assert.deepStrictEqual(encode([{ role: "user", content: [block] }]), [
      { role: "user", content: [block] }
    ])
  })
})

describe("an answer of this API", () => {
  const reasoning = {
    type: "reasoning",
    id: "rs_1",
    encrypted_content: "gAAAAA",
    summary: [
      { type: "summary_text", text: " first " },
      { type: "summary_text", text: "second" }
    ]
  }
  const disclosed = {
    type: "reasoning",
    id: "rs_2",
    status: "completed",
    summary: [],
    content: [{ type: "reasoning_text", text: "openly" }]
  }
  const search = { type: "web_search_call", id: "ws_1", status: "completed", action: { q: "x" } }
  const message = {
    type: "message",
    id: "msg_1",
    role: "assistant",
    status: "completed",
    phase: "commentary",
    content: [
      {
        type: "output_text",
        text: "I look.",
        annotations: [{ type: "url_citation", url: "https://e.com", start_index: 0, end_index: 1 }]
      },
      { type: "refusal", refusal: "Not that." },
      { type: "a_block_of_tomorrow", what: 1 }
    ]
  }
  const second = { ...message, id: "msg_2", content: [{ type: "output_text", text: "Then." }] }
  const call = {
    type: "function_call",
    id: "fc_1",
    call_id: "call_1",
    status: "completed",
    name: "f",
    arguments: '{"a": 1}'
  }
  const custom = {
    type: "custom_tool_call",
    id: "ctc_1",
    call_id: "call_2",
    status: "completed",
    name: "sql",
    input: "SELECT 1"
  }
  const output = [reasoning, search, message, second, disclosed, call, custom]

  it("goes back item by item as it came, and the results after it by call_id", () => {
    const items = givenBack(
      choiceOf(output),
      toolMessage("call_1", { sunny: true }),
      toolMessage("call_2", "1 row"),
      Prompt.makeMessage("user", {
        content: [Prompt.makePart("text", { text: "and?", options: {} })],
        options: {}
      })
    )
    assert.deepStrictEqual(items, [
      ...output,
      { type: "function_call_output", call_id: "call_1", output: '{"sunny":true}' },
      { type: "custom_tool_call_output", call_id: "call_2", output: "1 row" },
      { role: "user", content: "and?" }
    ])
  })

  it("survives being written down as JSON and read again", () => {
    const said = Prompt.fromMessages([assistant(choiceOf(output).content ?? [])])
    const codec = Schema.toCodecJson(Prompt.Prompt)
    const written = JSON.stringify(Schema.encodeSync(codec)(said))
    const read = Schema.decodeUnknownSync(codec)(JSON.parse(written))
    assert.deepStrictEqual(Result.getOrThrow(ResponsesInput.encode(read)), output)
  })

  it("goes back without ids where they lead to nothing: unstored, its reasoning not even encrypted", () => {
    const { encrypted_content: _, ...bare } = reasoning
    const { id: __, ...unstoredMessage } = message
    const { id: ___, ...unstoredCall } = call
    assert.deepStrictEqual(givenBack(choiceOf([bare, message, call], { store: false })), [
      unstoredMessage,
      unstoredCall
    ])
    for (const kept of [choiceOf([bare, call]), choiceOf([reasoning, call], { store: false })]) {
      const [first, last] = givenBack(kept)
      assert.deepStrictEqual([first?.["id"], last?.["id"]], ["rs_1", "fc_1"])
    }
  })

  it("is the only reasoning that goes back: another provider's stays behind", () => {
    const theirs = [
      Prompt.makePart("reasoning", { text: "hm", options: {} }),
      Prompt.makePart("reasoning", { text: "hm", options: { anthropic: { signature: "s" } } }),
      Prompt.makePart("text", { text: "yes", options: {} })
    ]
    assert.deepStrictEqual(
      Result.getOrThrow(ResponsesInput.encode(Prompt.fromMessages([assistant(theirs)]))),
      [{ role: "assistant", content: "yes" }]
    )
  })
})

describe("a tool's result", () => {
  const outputOf = (message: Prompt.Message): unknown =>
    Result.getOrThrow(ResponsesInput.encode(Prompt.fromMessages([message])))[0]?.["output"]

  it("is its text, or its JSON", () => {
    assert.strictEqual(outputOf(toolMessage("c", "17")), "17")
    assert.strictEqual(outputOf(toolMessage("c", [1])), "[1]")
    assert.strictEqual(outputOf(toolMessage("c", undefined)), "")
  })

  it("is what the model shall see, where the tool says so", () => {
    const seen = [
      Prompt.makePart("text", { text: "a map", options: {} }),
      file("image/png", "iVBORw0KGgo")
    ]
    assert.deepStrictEqual(outputOf(toolMessage("c", { path: "m.png" }, seen)), [
      { type: "input_text", text: "a map" },
      { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo" }
    ])
    const heard = Prompt.fromMessages([toolMessage("c", "x", [file("audio/wav", "AAAA")])])
    assert.strictEqual(refusal(ResponsesInput.encode(heard)), "files of type audio/wav")
  })
})
