const addressForm =
  /^(?:(?:https?|ssh|git):\/\/(?:[^/@]+@)?([^/:@]+)(?::\d+)?\/|(?:[\w.-]+@)?([\w.-]+):(?!\/))([^?#]+)$/i

/** Host and full name behind the address that a repository is cloned from; null where it is none. */
export function repoOfUrl(address: unknown): { host: string; fullName: string } | null {
  const [, host, scpHost, path] = (typeof address === "string" && addressForm.exec(address)) || []
  const fullName = path?.replace(/^\/+|\/+$/g, "").replace(/\.git$/, "")
  const known = host ?? scpHost
  return known === undefined || fullName === undefined ? null : { host: known, fullName }
}
