// The smallest program that asks for an answer: what of the library a bundle of it holds.
import * as Client from "@infermesh/core/Client"
import * as Inference from "@infermesh/core/Inference"
import * as Pricing from "@infermesh/core/telemetry/Pricing"
import * as OpenAi from "@infermesh/providers/openai/OpenAi"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"

const layer = Client.layer({ model: "openai/gpt-4.1-mini" }).pipe(
  Layer.provide(OpenAi.layer),
  Layer.provide(FetchHttpClient.layer),
  Layer.provide(Pricing.layerNone)
)

void Effect.runPromise(
  Effect.map(Effect.provide(Inference.generate("Say hello."), layer), ({ outputText }) =>
    console.log(outputText)
  )
)
