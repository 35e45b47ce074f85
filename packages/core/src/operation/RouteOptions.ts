/**
 * Where a caller wants a request to go, among the client's deployments: the options that every operation takes.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The options about where a request goes.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RouteOptions = Schema.Struct({
  /**
   * The model that is asked, by one of its names in the client: with or without the provider, a logical name of deployments, or
   * an alias. Default: the client's model.
   */
  model: Schema.optional(Schema.NonEmptyString),
  /** Only deployments with all of these tags are asked. */
  tags: Schema.optional(Schema.Array(Schema.NonEmptyString)),
  /** Requests with the same key go to the same deployment while it has room, where the strategy is `sticky`. */
  stickyKey: Schema.optional(Schema.String)
})

/**
 * The options about where a request goes.
 *
 * @category models
 * @since 0.1.0
 */
export type RouteOptions = typeof RouteOptions.Type

/**
 * The options of a call about where it goes, completed by the client's.
 *
 * @category getters
 * @since 0.1.0
 */
export const of = (own: RouteOptions, client: RouteOptions): RouteOptions => ({
  model: own.model ?? client.model,
  tags: own.tags ?? client.tags,
  stickyKey: own.stickyKey ?? client.stickyKey
})
