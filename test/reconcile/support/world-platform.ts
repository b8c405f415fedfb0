import { fieldsOf } from "../../../src/core/fields.ts"
import { SignalboxError, type ErrorCode } from "../../../src/core/errors.ts"
import { definePlatform } from "../../../src/core/platform.ts"
import type { Finding, Recovered, RemoteAccess, Recovery } from "../../../src/core/remote.ts"

/** What the world tells on the wire, a delivery or a record. */
export interface WireFinding {
  kind: "delivery" | "record"
  key: string
  at: string
  outcome?: string
  handle?: string
  known?: { state: string } | { entity: string; name: string; since: string } | null
  body?: string
}

const codes: Readonly<Record<number, ErrorCode>> = {
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  422: "bad_request",
  429: "too_many_requests",
}

async function ask(access: RemoteAccess, path: string, method = "GET"): Promise<unknown> {
  access.called?.()
  const response = await fetch(`${access.apiUrl}${path}`, {
    method,
    headers: { authorization: access.credential },
    signal: access.signal,
  })
  if (response.ok) return response.json()
  const code = codes[response.status] ?? "unavailable"
  const retryAfter = Number(response.headers.get("retry-after") ?? 0)
  throw new SignalboxError(code, `the world says ${response.status}`, { retryAfter })
}

function recoveredOf(key: string, body: string): Recovered {
  return { headers: { "x-world-key": key }, contentType: "application/json", body: Buffer.from(body) }
}

const recovery: Recovery = {
  async *sweep(access, { since, until, cursor }) {
    for (let at: string | null = cursor ?? "0"; at !== null;) {
      const query = `at=${at}&since=${since.toISOString()}&until=${until.toISOString()}`
      const page = (await ask(access, `/log?${query}`)) as { findings: WireFinding[]; next: string | null }
      if (page.next === null) return
      const findings = page.findings.map((found): Finding => {
        const { kind, key, outcome = "", handle = "", known, body } = found
        if (kind === "delivery") return { kind, key, at: new Date(found.at), outcome, handle }
        return {
          kind,
          key,
          at: new Date(found.at),
          known: known && "since" in known ? { ...known, since: new Date(known.since) } : (known ?? null),
          recovered: body === undefined ? () => fetchRecord(access, key) : recoveredOf(key, body),
        }
      })
      yield { findings, cursor: page.next, progress: `page ${page.next}` }
      at = page.next
    }
  },
  async redeliver(access, handle) {
    await ask(access, `/deliveries/${handle}/attempts`, "POST")
  },
  async copy(access, handle) {
    const { body } = (await ask(access, `/deliveries/${handle}`)) as { body: string | null }
    return body === null ? null : recoveredOf(handle, body)
  },
}

async function fetchRecord(access: RemoteAccess, key: string): Promise<Recovered | null> {
  const { body } = (await ask(access, `/records/${encodeURIComponent(key)}`)) as { body: string | null }
  return body === null ? null : recoveredOf(key, body)
}

/** A platform with a provider whose record can be asked, over HTTP: see world.ts. */
export const worldPlatform = definePlatform({
  name: "custom",
  secretVariable: null,
  acceptedStatus: 202,
  answerWithinMs: 10_000,
  contentTypes: [],
  keptHeaders: ["x-world-key"],
  detail: null,
  verify: () => ({ ok: true, secretId: "test" }),
  identify({ headers, payload }) {
    const { name, state, refused } = fieldsOf(payload)
    if (refused === true) throw new SignalboxError("bad_request", "nobody can read this")
    return {
      key: headers["x-world-key"] ?? "",
      name: String(name),
      type: "world.thing.happened",
      priority: "normal",
      ...(typeof state === "string" ? { state } : {}),
    }
  },
  normalize({ payload }) {
    const { entity, at } = fieldsOf(payload)
    return {
      type: "world.thing.happened",
      actor: null,
      entity: String(entity),
      title: null,
      url: null,
      occurredAt: new Date(String(at)),
      detail: null,
      references: [],
      texts: [],
    }
  },
  calls: {
    credentialVariable: "WORLD_TOKEN",
    apiUrlVariable: "WORLD_API_URL",
    load: () => Promise.resolve({ recovery }),
  },
})
