import { setImmediate as turn } from "node:timers/promises"
import { expect, it } from "vitest"
import { fewAtOnce } from "../../src/api/few-at-once.ts"

/** Work that ends when it is told to, and the order in which it began. */
function works() {
  const begun: string[] = []
  const ends: (() => void)[] = []
  const begin = (name: string) => () => {
    begun.push(name)
    const { promise, resolve } = Promise.withResolvers<void>()
    ends.push(resolve)
    return promise
  }
  const endNext = async () => {
    ends.shift()?.()
    await turn()
  }
  return { begun, begin, endNext }
}

it("whoever asks for much at once leaves every other turn to others", async () => {
  const { begun, begin, endNext } = works()
  const oneOfFew = fewAtOnce({ what: "tests", limit: 1, waitMs: 60_000 })
  const asked = ["a", "a", "a", "a", "b", "c", "b"].map((who, index) =>
    oneOfFew(who, begin(`${who}${index}`)),
  )
  await turn()
  for (const _ of asked) await endNext()
  await Promise.all(asked)
  expect(begun).toEqual(["a0", "b4", "c5", "a1", "b6", "a2", "a3"])
})

it("nobody has more than his part of the turns, though others are free, and who waits behind him gets them", async () => {
  const { begun, begin, endNext } = works()
  const oneOfFew = fewAtOnce({ what: "tests", limit: 3, each: 2, waitMs: 60_000 })
  const asked = ["a", "a", "a", "a", "b", "c"].map((who, index) => oneOfFew(who, begin(`${who}${index}`)))
  await turn()
  expect(begun).toEqual(["a0", "a1", "b4"])
  await endNext()
  expect(begun.slice(3)).toEqual(["c5"])
  for (const _ of asked) await endNext()
  await Promise.all(asked)
  expect(begun.slice(4)).toEqual(["a2", "a3"])
})

it("no more run at once than may, and who waits too long is refused", async () => {
  const { begun, begin, endNext } = works()
  const oneOfFew = fewAtOnce({ what: "tests", limit: 2, waitMs: 1 })
  const running = [oneOfFew("a", begin("first")), oneOfFew("b", begin("second"))]
  await expect(oneOfFew("c", begin("third"))).rejects.toMatchObject({
    code: "too_many_requests",
    message: expect.stringContaining("2 requests for tests"),
  })
  await endNext()
  await endNext()
  await Promise.all(running)
  expect(begun).toEqual(["first", "second"])
})
