import { expect, it } from "vitest"
import { startTestHub, until } from "../support/hub.ts"

const { hub, json } = await startTestHub()
const post = (path: string, body: object) => json(path, { method: "POST", body: JSON.stringify(body) })
const remove = (name: string, key?: string) =>
  json(`/api/v1/consumers/${name}`, { method: "DELETE", ...(key === undefined ? {} : { key }) })

it("what keeps a place is listed, and removed once no process runs it", async () => {
  expect((await post("/api/v1/streams", { name: "orders", filter: { types: ["order.*"] } })).status).toBe(201)
  const subscription = hub.subscribe("orders", () => {}, { name: "bookkeeping" })
  await subscription.ready
  await post("/api/v1/consumer-groups", { name: "a-group" })
  const listed = await json("/api/v1/consumers")
  expect(listed).toMatchObject({
    status: 200,
    body: {
      consumers: [
        { name: "a-group", kind: "group", holders: 0 },
        { name: "bookkeeping", kind: "callback", stream: "orders", tenant: "default", holders: 1, lag: 0 },
      ],
      nextCursor: null,
    },
  })
  const first = (await json("/api/v1/consumers?limit=1")).body
  const second = (await json(`/api/v1/consumers?limit=1&cursor=${first.nextCursor}`)).body
  expect([...first.consumers, ...second.consumers]).toEqual(listed.body.consumers)

  expect(await remove("bookkeeping")).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining("a process of the hub runs it") },
  })
  expect(await remove("a-group")).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining("/api/v1/consumer-groups") },
  })
  expect((await remove("nobody")).status).toBe(404)
  const made = await post("/api/v1/keys", { name: "stranger", tenant: "other", scopes: ["admin"] })
  expect((await json("/api/v1/consumers", { key: made.body.key })).body.consumers).toEqual([])
  expect((await remove("bookkeeping", made.body.key)).status).toBe(404)

  expect((await json("/api/v1/streams/orders", { method: "DELETE" })).status).toBe(409)
  await subscription.unsubscribe()
  await until(
    async () => (await remove("bookkeeping")).status,
    (status) => status === 204,
  )
  expect((await json("/api/v1/streams/orders", { method: "DELETE" })).status).toBe(204)
})
