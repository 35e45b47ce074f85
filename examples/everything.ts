// The three other examples as one program: it embeds, has a file transcribed, and talks to a model that calls a tool.
//
// node examples/everything.ts
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"

import { program as embedding } from "./embed-texts.ts"
import { program as conversation } from "./tool-conversation.ts"
import { program as transcription } from "./transcribe-wav.ts"

NodeRuntime.runMain(Effect.all([embedding, transcription, conversation], { discard: true }))
