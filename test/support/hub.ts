import { afterAll } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createHub, type Hub, type HubOptions } from "../../src/hub.ts"
import type { Database } from "../../src/store/database.ts"
import { testDatabase } from "./database.ts"
import { loadSigner } from "./fixtures.ts"

export interface TestHub {
  hub: Hub
  url: string
  database: Database
  /** A request with the admin key, or another one. */
  request(path: string, init?: RequestInit & { key?: string }): Promise<Response>
  /** The same, with its JSON, which a test looks into as it likes. */
  // oxlint-disable-next-line typescript/no-explicit-any
  json(path: string, init?: RequestInit & { key?: string }): Promise<{ status: number; body: any }>
}

/** The administrator's key of every test hub. */
export const adminKey = "test-admin-key-of-32-characters-or-more"

/** A whole hub on a database of the test file's own; stopped after the file. */
export async function startTestHub(options: HubOptions = {}): Promise<TestHub> {
  const database = await testDatabase()
  const secrets: Record<string, string[]> = {}
  for (const platform of ["github", "linear", "slack", "deployment"]) {
    const signer = await loadSigner(platform)
    if (signer !== null) secrets[platform] = [signer.secrets[0]]
  }
  const hub = createHub({
    databaseUrl: database.url,
    port: 0,
    host: "127.0.0.1",
    adminKey,
    secrets,
    log: silentLog,
    env: {},
    ...options,
  })
  await hub.start()
  afterAll(() => hub.stop())
  const url = hub.url ?? ""
  const request: TestHub["request"] = (path, { key = adminKey, ...init } = {}) => {
    const headers = new Headers(init.headers)
    if (key !== "") headers.set("authorization", `Bearer ${key}`)
    return fetch(url + path, { ...init, headers })
  }
  return {
    hub,
    url,
    database,
    request,
    json: async (path, init) => {
      const response = await request(path, init)
      const text = await response.text()
      return { status: response.status, body: text === "" ? null : JSON.parse(text) }
    },
  }
}

/** Sends a webhook signed as its platform signs. */
export async function sendWebhook(
  url: string,
  platform: string,
  request: { headers: Readonly<Record<string, string>>; body: string },
): Promise<Response> {
  const signer = await loadSigner(platform)
  const body = Buffer.from(request.body)
  const headers = { ...request.headers }
  const signature = signer?.sign({ body, headers, secret: signer.secrets[0], now: new Date() })
  return fetch(`${url}/webhooks/${platform}`, { method: "POST", headers: { ...headers, ...signature }, body })
}

/** Asks again and again until the answer pleases; throws after `ms` with the last answer. */
export async function until<T>(
  ask: () => Promise<T>,
  pleases: (answer: T) => boolean,
  ms = 15_000,
): Promise<T> {
  const end = Date.now() + ms
  for (;;) {
    const answer = await ask()
    if (pleases(answer)) return answer
    if (Date.now() > end) throw new Error(`not in time: ${JSON.stringify(answer).slice(0, 500)}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
