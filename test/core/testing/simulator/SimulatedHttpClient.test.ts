import { assert, describe, it } from "@effect/vitest"
import type { SimulatedOutcome, SimulatedRequest } from "@infermesh/core/testing/Simulator"
import * as SimulatedHttpClient from "@infermesh/core/testing/simulator/SimulatedHttpClient"
import { Effect, Stream } from "effect"
import { HttpBody, HttpClientRequest } from "effect/http"

const respond = (
  body: Extract<SimulatedOutcome, { _tag: "Response" }>["body"]
): SimulatedOutcome => ({
  _tag: "Response",
  status: 200,
  headers: { "content-type": "text/plain" },
  body
})

/** A client of a server that gives one outcome, and the requests that reached it. */
const make = (outcome: SimulatedOutcome) => {
  const requests: Array<SimulatedRequest> = []
  const client = SimulatedHttpClient.make(
    () => (request) =>
      Effect.sync(() => {
        requests.push(request)
        return outcome
      })
  )
  return { client, requests }
}

describe("a request", () => {
  const reaches = (body: HttpBody.HttpBody) =>
    Effect.gen(function* () {
      const { client, requests } = make(respond(""))
      const request = HttpClientRequest.post("http://any.test/path?a=b#c").pipe(
        HttpClientRequest.setBody(body),
        HttpClientRequest.setHeader("X-Test", "yes")
      )
      yield* client.execute(request)
      const [received] = requests
      assert.strictEqual(received?.method, "POST")
      assert.strictEqual(received?.path, "/path?a=b")
      assert.strictEqual(received?.headers["x-test"], "yes")
      return received
    })

  it.effect("reaches the server as text, however its body was made", () =>
    Effect.gen(function* () {
      const bytes = new TextEncoder().encode("grüße")
      for (const body of [
        HttpBody.text("grüße"),
        HttpBody.uint8Array(bytes),
        HttpBody.raw("grüße"),
        HttpBody.raw(bytes),
        HttpBody.stream(Stream.make(bytes.slice(0, 3), bytes.slice(3)))
      ]) {
        const received = yield* reaches(body)
        const text =
          typeof received?.body === "string"
            ? received.body
            : new TextDecoder().decode(received?.body)
        assert.strictEqual(text, "grüße")
      }
      assert.strictEqual((yield* reaches(HttpBody.empty))?.body, "")
    })
  )

  it.effect("with a form reaches it as bytes, with the boundary in the content type", () =>
    Effect.gen(function* () {
      const form = new FormData()
      form.append("file", new File([new Uint8Array([0, 255, 1])], "a.wav"))
      const received = yield* reaches(HttpBody.formData(form))
      if (!(received?.body instanceof Uint8Array)) return assert.fail("no bytes")
      const parsed = yield* Effect.promise(() =>
        new Response(received.body as Uint8Array<ArrayBuffer>, {
          headers: { "content-type": received.headers["content-type"] ?? "" }
        }).formData()
      )
      const file = parsed.get("file")
      if (!(file instanceof File)) return assert.fail("no file")
      const content = yield* Effect.promise(() => file.arrayBuffer())
      assert.deepStrictEqual([...new Uint8Array(content)], [0, 255, 1])
    })
  )
})

describe("a response", () => {
  it.effect("can be read in every way, and its text twice", () =>
    Effect.gen(function* () {
      const text = JSON.stringify({ a: "ö" })
      const bytes = new TextEncoder().encode(text)
      for (const outcome of [
        respond(text),
        respond(Stream.make(bytes.slice(0, 7), bytes.slice(7)))
      ]) {
        const response = yield* make(outcome).client.get("http://any.test/")
        assert.strictEqual(yield* response.text, text)
        assert.strictEqual(yield* response.text, text)
        assert.deepStrictEqual(yield* response.json, { a: "ö" })
        assert.deepStrictEqual(new Uint8Array(yield* response.arrayBuffer), bytes)
        assert.strictEqual(response.headers["content-type"], "text/plain")
      }
      const streamed = yield* make(respond(text)).client.get("http://any.test/")
      assert.strictEqual(yield* Stream.mkString(Stream.decodeText(streamed.stream)), text)
    })
  )

  it.effect("that is not JSON is a DecodeError", () =>
    Effect.gen(function* () {
      const response = yield* make(respond("<html>")).client.get("http://any.test/")
      const error = yield* Effect.flip(response.json)
      assert.strictEqual(error.reason._tag, "DecodeError")
    })
  )
})
