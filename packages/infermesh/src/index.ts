/**
 * infermesh: text generation as Effect programs.
 *
 * @since 0.1.0
 */
export * from "@infermesh/core"
export * as Infermesh from "./Infermesh.ts"
