import { expect, it } from "vitest"
import { createAuthenticator } from "../../src/auth/authenticate.ts"
import { createKey } from "../../src/auth/keys.ts"
import { systemClock } from "../../src/core/clock.ts"
import { testDatabase } from "../support/database.ts"

const database = await testDatabase()
const db = database.work
const adminKey = "correct horse battery staple, d\u00e9j\u00e0  vu"
const authenticate = createAuthenticator({ db, adminKey, clock: systemClock })
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
