/**
 * The wire format of OpenAI's list of models, GET /v1/models and /v1/models/NAME.
 *
 * It is not metered: no quota, no latency, no faults.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

import * as OpenAiHttp from "./OpenAiHttp.ts"
import * as OpenAiRefusal from "./OpenAiRefusal.ts"
import type { WireFormat } from "./WireFormat.ts"

const path = /^(?:\/v1)?\/models(?:\/(.+))?$/

/**
 * GET /v1/models; a simulator that accepts any model lists none.
 *
 * @category formats
 * @since 0.1.0
 */
export const format: WireFormat = {
  name: "openai-models",
  vendor: OpenAiHttp.vendor,
  metered: false,
  contentFaults: [],
  matches: (method, requested) => method === "GET" && path.test(requested),
  decode: (request, { models }) => {
    const segment = path.exec(request.path.split("?")[0] ?? "")?.[1]
    const known = models?.find((name) => name === segment || encodeURIComponent(name) === segment)
    if (segment !== undefined && models !== undefined && known === undefined) {
      return Result.fail(OpenAiRefusal.modelNotFound(segment))
    }
    const wanted = known ?? segment
    const body =
      wanted === undefined ? { object: "list", data: (models ?? []).map(model) } : model(wanted)
    return Result.succeed({
      model: wanted ?? "",
      hash: 0,
      promptTokens: 0,
      stream: false,
      answer: () => ({ completionTokens: 0, body: () => JSON.stringify(body) })
    })
  }
}

/** All models are as old as the API, so that the list does not change from run to run. */
const createdSeconds = 1_677_610_602

const model = (id: string) => ({
  id,
  object: "model",
  created: createdSeconds,
  owned_by: "simulator"
})
