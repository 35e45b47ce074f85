/**
 * A setting of the client, a deployment or a provider cannot be used; raised when layers are built, before any request.
 *
 * It is not a reason of a request: a wrong setting stops the program at its start instead of failing every request.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A setting that cannot be used: which one, what is wrong with it and what to do.
 *
 * @category errors
 * @since 0.1.0
 */
export class SettingsError extends Schema.TaggedError<SettingsError>(
  "@infermesh/core/SettingsError"
)("SettingsError", {
  /** The setting's name as the user wrote it: `model`, `limits.rpm`, `deployments.gpu-0.apiBase`. */
  setting: Schema.String,
  problem: Schema.String,
  hint: Schema.optional(Schema.String)
}) {
  override get message(): string {
    return `${this.setting}: ${this.problem}${this.hint === undefined ? "" : `. ${this.hint}`}`
  }
}
