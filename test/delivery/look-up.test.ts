import { setImmediate as turn } from "node:timers/promises"
import { expect, test } from "vitest"
import { failureOf } from "../../src/delivery/endpoint.ts"
import { createGuard } from "../../src/delivery/guard.ts"
import { createLookUp, lookUpsAtOnce, type Address } from "../../src/delivery/look-up.ts"
import { createSender } from "../../src/delivery/send.ts"
import { startReceiver } from "./receiver.ts"

const found = (address: string): Address[] => [{ address, family: 4 }]

/** Name servers that answer when they are told to. */
function nameServers() {
  const asked: string[] = []
  const open = new Map<string, PromiseWithResolvers<Address[]>>()
  return {
    asked,
    async answer(name: string, address: string) {
      open.get(name)?.resolve(found(address))
      await turn()
    },
    resolve: (name: string) => {
      asked.push(name)
      const answer = Promise.withResolvers<Address[]>()
      open.set(name, answer)
      return answer.promise
    },
  }
}

test("all who ask for a name at the same time share one look-up, and who asks later gets a new one", async () => {
  const { asked, answer, resolve } = nameServers()
  const lookUp = createLookUp({ resolve, most: 1 })
  const three = [1, 2, 3].map(() => lookUp("a.example", 60_000))
  await answer("a.example", "1.1.1.1")
  expect(await Promise.all(three)).toEqual(three.map(() => found("1.1.1.1")))
  const fourth = lookUp("a.example", 60_000)
  await answer("a.example", "1.1.1.2")
  expect(await fourth).toEqual(found("1.1.1.2"))
  expect(asked).toEqual(["a.example", "a.example"])
})

test("names are looked up so many at a time, in turn, and what nobody waits for any more is not", async () => {
  const { asked, answer, resolve } = nameServers()
  const lookUp = createLookUp({ resolve, most: 2 })
  const [a, b, d] = ["a", "b", "d"].map((name) => lookUp(name, 60_000))
  await expect(lookUp("c", 5)).rejects.toMatchObject({
    name: "TimeoutError",
    message: "c could not be looked up within 0.005 s: name servers of others do not answer",
  })
  expect(asked).toEqual(["a", "b"])
  await answer("b", "1.1.1.2")
  expect(asked).toEqual(["a", "b", "d"])
  await answer("a", "1.1.1.1")
  await answer("d", "1.1.1.4")
  expect(await Promise.all([a, b, d])).toEqual([found("1.1.1.1"), found("1.1.1.2"), found("1.1.1.4")])
})

test("a name that was slow to answer comes after the others", async () => {
  const { asked, answer, resolve } = nameServers()
  let now = 0
  const lookUp = createLookUp({ resolve, most: 1, now: () => now })
  await expect(lookUp("slow", 5)).rejects.toThrow("the name servers of slow gave no answer within 0.005 s")
  now += 10_000
  await answer("slow", "1.1.1.1")
  const all = ["a", "slow", "b"].map((name) => lookUp(name, 60_000))
  for (const name of ["a", "b", "slow"]) await answer(name, "1.1.1.1")
  await Promise.all(all)
  expect(asked).toEqual(["slow", "a", "b", "slow"])
})

test("names that are slow to answer never have all the places", async () => {
  const { asked, answer, resolve } = nameServers()
  let now = 0
  const lookUp = createLookUp({ resolve, most: 2, now: () => now })
  const first = ["slow", "too"].map((name) => lookUp(name, 60_000))
  now += 10_000
  for (const name of ["slow", "too"]) await answer(name, "1.1.1.1")
  const all = ["slow", "too", "quick"].map((name) => lookUp(name, 60_000))
  expect(asked.slice(2)).toEqual(["slow", "quick"])
  for (const name of ["quick", "slow", "too"]) await answer(name, "1.1.1.1")
  expect(await Promise.all([...first, ...all])).toEqual(Array.from({ length: 5 }, () => found("1.1.1.1")))
})

test("what was found a moment ago serves where an answer does not come at once, and no longer than a while", async () => {
  const { answer, resolve } = nameServers()
  let now = 0
  const lookUp = createLookUp({ resolve, most: 1, recallMs: 5, now: () => now })
  const known = lookUp("known", 60_000)
  await answer("known", "1.1.1.1")
  await known
  const dead = lookUp("dead", 60_000)
  expect(await lookUp("known", 60_000)).toEqual(found("1.1.1.1"))
  now += 600_000
  await expect(lookUp("known", 50)).rejects.toMatchObject({ name: "TimeoutError" })
  await answer("dead", "1.1.1.2")
  expect(await dead).toEqual(found("1.1.1.2"))
})

test("an answer of a moment ago is checked as a new one is", async () => {
  const receiver = await startReceiver((_request, response) => {
    response.writeHead(204, { connection: "close" }).end()
  })
  const { port } = new URL(receiver.url)
  const answers = [found("127.0.0.1"), found("10.0.0.1")]
  const silence = new Promise<Address[]>(() => {})
  const guard = createGuard({
    allowNetworks: ["127.0.0.0/8"],
    resolve: async () => answers.shift() ?? silence,
  })
  const sender = createSender(`http://hook.example:${port}`, guard, 1)
  const send = () => sender.send({ path: "/", headers: {}, body: Buffer.from("{}"), timeoutMs: 20_000 })
  const outcomes = [await send(), await send(), await send()]
  await sender.close()
  expect(outcomes.map(({ statusCode, error }) => statusCode ?? error?.name)).toEqual([
    204,
    "ForbiddenAddress",
    "ForbiddenAddress",
  ])
  expect(receiver.received).toHaveLength(1)
})

test("a receiver whose name servers do not answer fails as one that takes too long, and says why", async () => {
  const guard = createGuard({ allowNetworks: [], resolve: () => new Promise<Address[]>(() => {}) })
  const connect = guard.connector(20)
  const error = await new Promise<Error | null>((settled) =>
    connect({ hostname: "dead.example", protocol: "https:", port: "443" }, (...[failure]) =>
      settled(failure),
    ),
  )
  const answer = { statusCode: null, retryAfter: null, response: null, error, cut: false }
  expect(failureOf(answer)).toEqual({
    errorCode: "timeout",
    error: "TimeoutError: the name servers of dead.example gave no answer within 0.02 s",
  })
})

test.each([
  [undefined, 1],
  ["1", 1],
  ["8", 3],
  ["16", 7],
  ["many", 1],
])("of a thread pool of %s, a thread for names is left to all else", (size, most) => {
  expect(lookUpsAtOnce(size)).toBe(most)
})
