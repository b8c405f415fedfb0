import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, onTestFinished, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createNatsLink, type NatsLink } from "../../src/nats/link.ts"
import { readNatsUrl } from "../../src/nats/settings.ts"
import { ownNats, withoutNats } from "./support/nats-server.ts"

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

function startLink(url: string): NatsLink {
  const address = readNatsUrl(url)
  if (address === null) throw new Error("not an address")
  const link = createNatsLink({ address, log: silentLog })
  onTestFinished(() => link.stop())
  link.start()
  return link
}

describe.skipIf(withoutNats !== undefined)("the link", () => {
  test("keeps nothing of a run that has ended, for as long as its connection lasts", async () => {
    const nats = await ownNats()
    await nats.start()
    const stopping = new AbortController()
    const runs: WeakRef<AbortSignal>[] = []
    const running = startLink(nats.url).whileConnected(
      stopping.signal,
      (_, signal) => Promise.resolve(void runs.push(new WeakRef(signal))),
      () => {},
    )
    await expect.poll(() => runs.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(4)
    const ended = runs.slice(0, 3)
    await expect
      .poll(
        () => {
          collectGarbage()
          return ended.filter((signal) => signal.deref() !== undefined).length
        },
        { timeout: 10_000 },
      )
      .toBe(0)
    stopping.abort()
    await running
  }, 60_000)

  test("ends a run when its connection is lost, and runs it again on the next one", async () => {
    const nats = await ownNats()
    await nats.start()
    const stopping = new AbortController()
    let begun = 0
    let ended = 0
    const running = startLink(nats.url).whileConnected(
      stopping.signal,
      async (_, signal) => {
        begun++
        await new Promise((resolve) => signal.addEventListener("abort", resolve))
        ended++
      },
      () => {},
    )
    await expect.poll(() => begun, { timeout: 20_000 }).toBe(1)
    await nats.kill()
    await expect.poll(() => ended, { timeout: 20_000 }).toBe(1)
    await nats.start()
    await expect.poll(() => begun, { timeout: 20_000 }).toBe(2)
    stopping.abort()
    await running
    expect(ended).toBe(2)
  }, 90_000)
})
