/**
 * The version of infermesh; a test holds it against the package's manifest.
 *
 * @category constants
 * @since 0.1.0
 */
export const version = "0.1.0"
