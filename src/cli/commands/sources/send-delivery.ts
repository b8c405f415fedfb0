import { SignalboxError } from "../../../core/errors.ts"
import type { TestDelivery } from "../../../core/platform.ts"

/** What a hub answers to a delivery that it has stored. */
export interface Acknowledged {
  status: number
  eventId: string
}

/** Posts a delivery as its sender would. What goes wrong is thrown with advice on how to mend it. */
export async function sendDelivery(
  address: string,
  { headers, body }: TestDelivery,
  end: AbortSignal,
): Promise<Acknowledged> {
  let response: Response
  let text: string
  try {
    response = await fetch(address, {
      method: "POST",
      headers,
      body: new Uint8Array(body),
      redirect: "manual", // senders follow none either
      signal: end,
    })
    text = await response.text()
  } catch (error) {
    throw new SignalboxError("unavailable", unreachable(address, end.aborted ? "TIMEOUT" : codeOf(error)), {
      cause: error,
    })
  }
  const answer = objectOf(text)
  if (response.ok && typeof answer["eventId"] === "string") {
    return { status: response.status, eventId: answer["eventId"] }
  }
  throw new SignalboxError("bad_request", refused(address, response, answer))
}

function unreachable(address: string, code: string): string {
  const { hostname, host, protocol } = new URL(address)
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `the name ${hostname} does not resolve: check --url and the name's DNS record`
    case "ECONNREFUSED":
      return `nothing listens at ${host}: is the hub, or the proxy before it, running and bound to this address?`
    case "TIMEOUT":
    case "ETIMEDOUT":
    case "UND_ERR_CONNECT_TIMEOUT":
    case "UND_ERR_HEADERS_TIMEOUT":
      return `${host} gives no answer in time: does a firewall or a proxy hold it up?`
    case "ECONNRESET":
    case "UND_ERR_SOCKET":
      return `${host} closed the connection without an answer: does a proxy there expect ${protocol === "http:" ? "https" : "http"}?`
    default:
      return /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)
        ? `the certificate of ${host} is not one that senders trust (${code}): renew it, or have the whole chain sent`
        : `${host} cannot be reached (${code})`
  }
}

/** The code of the innermost cause: fetch wraps what the socket says. */
function codeOf(error: unknown): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof AggregateError && cause.errors.length > 0) return codeOf(cause.errors[0])
    if ("code" in cause && typeof cause.code === "string") return cause.code
  }
  return "unknown"
}

function refused(address: string, response: Response, answer: Readonly<Record<string, unknown>>): string {
  const { status, headers } = response
  const { code, detail } = answer
  const said = typeof detail === "string" ? ` (${detail})` : ""
  const isOurs = typeof code === "string" && headers.get("content-type")?.includes("problem+json") === true
  if (status >= 300 && status < 400) {
    return `${status}: it redirects to ${headers.get("location") ?? "another address"}, which senders do not follow: give them the last address`
  }
  if (!isOurs) {
    return status === 404 || response.ok
      ? `${status}, and not from a signalbox: does the proxy pass ${new URL(address).pathname} on to the hub?`
      : `${status}, and not from a signalbox: a proxy or firewall before the hub refuses it`
  }
  if (status === 401) {
    return `401${said}: the hub holds another secret than this command. Does it run on this database, with the same SIGNALBOX_ENCRYPTION_KEY and variables? Else something between changes the body or drops headers`
  }
  if (status === 404) {
    return `404${said}: does the hub at this address run on this database, and is the source enabled there?`
  }
  if (status === 503) return `503${said}: the hub is there and cannot take it now: is its database well?`
  return `${status}${said}`
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === "object" && value !== null) return { ...value }
  } catch {
    // an answer that is not ours: the status speaks for it
  }
  return {}
}
