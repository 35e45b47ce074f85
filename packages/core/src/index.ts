/**
 * All modules of the core, by name. Programs that care for their start-up time import the modules themselves.
 *
 * @since 0.1.0
 */
export * as Batch from "./batch/Batch.ts"
export { BatchResult } from "./batch/BatchResult.ts"
export * as Client from "./Client.ts"
export * as Deployment from "./Deployment.ts"
export * as Inference from "./Inference.ts"
export { InferenceError } from "./InferenceError.ts"
export { audio } from "./operation/AudioBlock.ts"
export { document } from "./operation/Document.ts"
export { GenerationResult } from "./operation/Generate.ts"
export { image } from "./operation/Image.ts"
export { nextTurn } from "./operation/NextTurn.ts"
export * as Pipeline from "./Pipeline.ts"
export * as Reason from "./Reason.ts"
export * as Scheduler from "./Scheduler.ts"
export { SettingsError } from "./SettingsError.ts"
export { CaptureContent } from "./telemetry/Content.ts"
export * as Metrics from "./telemetry/Metrics.ts"
