import { once } from "node:events"
import { connect } from "node:net"
import { expect, it } from "vitest"
import { listen } from "../../src/api/http-server.ts"

it("a server closes at once although clients hold connections without a request", async () => {
  const server = await listen(() => new Response("yes"), { host: "127.0.0.1", port: 0 })
  expect(await (await fetch(server.url)).text()).toBe("yes") // its connection stays, for another request
  const reserve = connect(server.port, "127.0.0.1")
  await once(reserve, "connect")
  const ended = once(reserve, "close")
  let cut = false
  const deadline = setTimeout(() => (cut = true), 10_000)
  await server.close(20_000)
  clearTimeout(deadline)
  await ended
  expect(cut).toBe(false)
})

it("a request under way is answered before the server closes", async () => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const server = await listen(
    async () => {
      asked.resolve()
      await answer.promise
      return new Response("late")
    },
    { host: "127.0.0.1", port: 0 },
  )
  const response = fetch(server.url)
  await asked.promise
  const closed = server.close(20_000)
  answer.resolve()
  expect(await (await response).text()).toBe("late")
  await closed
})
