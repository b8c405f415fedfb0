import { expect, it } from "vitest"
import { copyEvent } from "../../src/core/copy-event.ts"
import type { LoggedEvent } from "../../src/core/envelope.ts"

const made = (): LoggedEvent => ({
  id: "0190c0de-0000-7000-8000-000000000001",
  tenant: "default",
  platform: "custom",
  source: "test",
  type: "test.thing.happened",
  name: "happened",
  deliveryId: "d-1",
  priority: "normal",
  actor: { id: "1", name: "one", bot: false },
  entity: "test:thing:1",
  title: "a title",
  url: null,
  occurredAt: new Date("2026-11-21T12:00:00Z"),
  receivedAt: new Date("2026-11-21T12:00:01Z"),
  correlationId: "c-1",
  causationId: null,
  headers: { host: "hub" },
  contentType: "application/json",
  backfilled: false,
  raw: Buffer.from("{}"),
  position: 7,
  references: [
    { entity: "linear:issue:ENG-1", relation: "mentions", evidence: { field: "title", text: "a" } },
  ],
})

it("a copy is equal, and what is done to it changes nothing of the event", () => {
  const event = made()
  const copy = copyEvent(event)
  expect(copy).toEqual(event)
  const { actor, headers, references, occurredAt, receivedAt } = copy
  Object.assign(actor ?? {}, { name: "changed" })
  Object.assign(headers, { host: "changed" })
  Object.assign(references[0]?.evidence ?? {}, { text: "changed" })
  Object.assign(references, [])
  references.splice(0)
  occurredAt?.setTime(0)
  receivedAt.setTime(0)
  expect(event).toEqual(made())
})

it("what is null stays so", () => {
  expect(copyEvent({ ...made(), actor: null, occurredAt: null })).toMatchObject({
    actor: null,
    occurredAt: null,
  })
})
