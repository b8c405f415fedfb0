import { expect, it, onTestFinished, vi } from "vitest"
import { createAuthenticator } from "../../src/auth/authenticate.ts"
import { createKey } from "../../src/auth/keys.ts"
import { createStreamTokens } from "../../src/auth/stream-tokens.ts"
import { revokeApiKey } from "../../src/store/api-keys.ts"
import { testDatabase } from "../support/database.ts"

const database = await testDatabase()
const db = database.work
const adminKey = "correct horse battery staple, d\u00e9j\u00e0  vu"
const authenticate = createAuthenticator({ db, adminKey })
const as = async (authorization: string) => authenticate(new Headers({ authorization }))

it("a passphrase with blanks is as good an admin key as any", async () => {
  expect(await as(`Bearer ${adminKey}`)).toMatchObject({ keyId: "admin", tenant: "default" })
  expect(await as(`bearer   ${adminKey}  `)).toMatchObject({ keyId: "admin" })
})

it("a key that is stored lets in for its tenant", async () => {
  const { key, row } = await createKey(db, { tenant: "acme", name: "k", scopes: ["events:read"] })
  expect(await as(`Bearer ${key}`)).toMatchObject({ keyId: row.id, tenant: "acme" })
})

it.each([
  "",
  "Bearer",
  `Bearer${adminKey}`,
  `Basic ${adminKey}`,
  `Bearer ${adminKey.slice(0, -1)}`,
  `Bearer ${adminKey.replaceAll(" ", "")}`,
  `Bearer x ${adminKey}`,
])("%j lets nobody in", async (authorization) => {
  await expect(as(authorization)).rejects.toMatchObject({ code: "unauthenticated" })
})

function setClock(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + ms })
  onTestFinished(() => void vi.useRealTimers())
}

it("a key that was revoked lets nobody in after five seconds, though the clock be set back an hour", async () => {
  const { key, row } = await createKey(db, { tenant: "acme", name: "k", scopes: ["events:read"] })
  let elapsed = 0
  const known = createAuthenticator({ db, now: () => elapsed })
  const headers = new Headers({ authorization: `Bearer ${key}` })
  await known(headers)
  await revokeApiKey(db, null, row.id)
  setClock(-3_600_000)
  elapsed = 4_999
  await known(headers)
  elapsed = 5_000
  await expect(known(headers)).rejects.toMatchObject({ code: "unauthenticated" })
})

it("a token lives as long as it says, however slow or fast the clock of the process is", async () => {
  const tokens = createStreamTokens(db)
  const { row } = await createKey(db, { tenant: "acme", name: "k", scopes: ["streams:read"] })
  const principal = { keyId: row.id, tenant: "acme", scopes: new Set(["streams:read"]) }
  const real = Date.now()
  for (const ms of [-3_600_000, 7_200_000]) {
    setClock(ms)
    const { token, expiresAt } = await tokens.issue(principal, "all_events", 60)
    expect(Math.abs(expiresAt.getTime() - real - 60_000)).toBeLessThan(30_000)
    expect(await tokens.redeem(token, "all_events")).toMatchObject({ keyId: row.id, tenant: "acme" })
  }
})
