/** The `code` of an error of Node or of PostgreSQL (`ENOENT`, `23505`); undefined for any other. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined
  return typeof error.code === "string" ? error.code : undefined
}
