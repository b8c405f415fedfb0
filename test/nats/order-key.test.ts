import { expect, onTestFinished, test } from "vitest"
import { orderKey } from "../../src/consumers/order-key.ts"
import { silentLog } from "../../src/core/log.ts"
import type { TailItem } from "../../src/core/log-tail.ts"
import { createNatsLink } from "../../src/nats/link.ts"
import { createPublisher } from "../../src/nats/publisher.ts"
import { readNatsUrl } from "../../src/nats/settings.ts"
import { subjectNames } from "../../src/nats/subject.ts"
import { createNatsTail } from "../../src/nats/tail.ts"
import { toTailEntry } from "../../src/streaming/tail-entry.ts"
import { giveEntity } from "../processing/other-entity.ts"
import { logEvents } from "../support/events.ts"
import { freshDatabases } from "./support/fresh-databases.ts"
import { ownNats, withoutNats } from "./support/nats-server.ts"

const fresh = await freshDatabases(1)

test.skipIf(withoutNats !== undefined)(
  "an event that got another entity before it was published keeps its partition at who reads it there",
  async () => {
    const [database, nats] = [fresh(), await ownNats()]
    const address = readNatsUrl(nats.url)
    if (address === null) throw new Error("not an address")
    const names = subjectNames("signalbox")
    const link = createNatsLink({ address, log: silentLog })
    const publisher = createPublisher({ link, database, names, settings: {}, log: silentLog })
    const items = new Map<number, TailItem>()
    const unfollow = createNatsTail({ link, names, log: silentLog }).follow({
      take: (item) => items.set(item.position, item),
      lost: () => {},
    })
    onTestFinished(async () => {
      unfollow()
      await publisher.stop()
      await link.stop()
    })
    await nats.start()
    link.start()
    publisher.start()
    const heard = async () => {
      await logEvents(database.work, [{}])
      return items.size
    }
    await expect.poll(heard, { timeout: 20_000 }).toBeGreaterThan(0)
    await publisher.stop()

    const events = await logEvents(database.work, [{ entity: "thing:näher" }, {}, { entity: "thing:same" }])
    const [named, unnamed, same] = events.map(({ id }) => id)
    await giveEntity(database.url, [named ?? "", unnamed ?? ""], "thing:other")
    const next = createPublisher({ link, database, names, settings: {}, log: silentLog })
    onTestFinished(() => next.stop())
    next.start()
    const told = () =>
      [...items.values()].flatMap((item) => {
        const entry = toTailEntry(item)
        return entry?.kind === "event" && events.some(({ id }) => id === entry.event.id) ? [entry.event] : []
      })
    await expect.poll(() => told().length, { timeout: 20_000 }).toBe(3)
    expect(told().map((event) => [event.id, event.entity, orderKey(event)])).toEqual([
      [named, "thing:other", "thing:näher"],
      [unnamed, "thing:other", unnamed],
      [same, "thing:same", "thing:same"],
    ])
  },
  60_000,
)
