import { expect, test } from "vitest"
import { deleteStream, insertStream, updateStream } from "../../src/store/streams.ts"
import { append, eventually } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { startSending, subscribe } from "./machine.ts"
import { startReceiver } from "./receiver.ts"

const database = await testDatabase()

test("a webhook on a stream with routes follows the stream where that is changed", async () => {
  const made = await insertStream(database.work, "default", "routed.hooks", {
    filter: {},
    routes: [{ types: ["route.a"] }, { types: ["route.b"] }],
    retentionSeconds: null,
    partitions: null,
  })
  expect(made).toBeDefined()
  const receiver = await startReceiver()
  await subscribe(database, "routed", receiver.url, { stream: "routed.hooks", filter: {} })
  await startSending(database)
  const types = () => receiver.received.map(({ json }) => json.type as string)
  await append(database, { type: "route.a" }, { type: "route.c" }, { type: "route.b" })
  await eventually(types, (seen) => seen.length === 2)
  expect(new Set(types())).toEqual(new Set(["route.a", "route.b"]))

  await updateStream(database.work, "default", "routed.hooks", { routes: [{ types: ["route.c"] }] })
  // What was sent before it was heard of has gone by what the stream was.
  await eventually(
    async () => {
      await append(database, { type: "route.c" })
      return types()
    },
    (seen) => seen.includes("route.c"),
  )
  await append(database, { type: "route.a" }, { type: "route.c", title: "last" })
  await eventually(
    () => receiver.received,
    (seen) => seen.some(({ json }) => json.title === "last"),
  )
  expect(types().filter((type) => type === "route.a")).toHaveLength(1)
  expect(await deleteStream(database.work, "default", "routed.hooks")).toBe(true)
})
