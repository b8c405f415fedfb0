import { idOrNull, messageKey, tsOrNull } from "./keys.ts"

/**
 * The message behind `https://<workspace>.slack.com/archives/C1/p1700000000000100`, a reply's included.
 * The address tells no team, so the key has `*` for it; every message's own event says that it is the
 * same thing (`same_as`). Slack's web client does tell: `app.slack.com/client/T1/C1/thread/C1-1700000000.000100`.
 */
export function entityFromUrl(url: URL): string | null {
  const { hostname, pathname } = url
  if (!/^(?:[a-z0-9-]+\.)+slack(?:-gov)?\.com$/.test(hostname)) return null
  const [, page, first, second, third, fourth] = pathname.split("/")
  if (page === "archives") return messageKey(null, first, tsOfPath(second))
  if (page !== "client" || idOrNull(first) === null) return null
  const [, channel, ts] = /^([A-Za-z0-9]+)-([\d.]+)$/.exec(third === "thread" ? (fourth ?? "") : "") ?? []
  return channel === second ? messageKey(idOrNull(first), channel, ts) : null
}

/** `p1700000000000100` is `1700000000.000100`: the dot stands before the last six digits. */
function tsOfPath(segment: string | undefined): string | null {
  const digits = /^p(\d{7,18})$/.exec(segment ?? "")?.[1]
  return digits === undefined ? null : `${digits.slice(0, -6)}.${digits.slice(-6)}`
}

/** The address of a message in a workspace whose domain is known; null where a part is missing. */
export function permalink(domain: unknown, channel: unknown, ts: unknown, threadTs: unknown): string | null {
  const inChannel = idOrNull(channel)
  const at = tsOrNull(ts)
  const root = tsOrNull(threadTs)
  if (typeof domain !== "string" || !/^[a-z0-9-]{1,63}$/.test(domain)) return null
  if (inChannel === null || at === null || !/\.\d{6}$/.test(at)) return null
  const address = `https://${domain}.slack.com/archives/${inChannel}/p${at.replace(".", "")}`
  return root === null || root === at ? address : `${address}?thread_ts=${root}&cid=${inChannel}`
}
