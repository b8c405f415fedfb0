/** Hosts through which programs send their readers on, each with the parameter that holds the address. */
const redirectors: readonly (readonly [host: RegExp, path: string, parameter: string])[] = [
  [/^slack-redir\.net$/, "/link", "url"],
  [/^(?:www\.)?google\.com$/, "/url", "q"],
  [/^(?:www\.)?google\.com$/, "/url", "url"],
  [/^[a-z0-9]+\.safelinks\.protection\.outlook\.com$/, "/", "url"],
]

/** The address that a redirector's address leads to, percent-encoding undone; null for any other address. */
export function redirectTarget(url: URL): string | null {
  for (const [host, path, parameter] of redirectors) {
    if (url.pathname !== path || !host.test(url.hostname)) continue
    const target = url.searchParams.get(parameter)
    if (target !== null) return target
  }
  return null
}
