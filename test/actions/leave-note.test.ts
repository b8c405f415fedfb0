import { fork } from "node:child_process"
import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { beforeEach, describe, expect, it } from "vitest"
import { leaveNote } from "../../src/actions/leave-note.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { testDatabase } from "../support/database.ts"
import { startProvider } from "./support/provider.ts"
import { speakerTo, type NoteTask } from "./support/speaker.ts"

const database = await testDatabase()
const provider = await startProvider()
const speaker = await speakerTo(provider.slackUrl)
const note = { text: "Timeline of this thread", url: "https://hub.test/t" }
const holdMs = 400
let threads = 0

beforeEach(() => {
  provider.said.length = 0
  provider.calls.length = 0
})

function newThread(): string {
  return `slack:thread:T1/C1/${1_700_000_000 + ++threads}.000100`
}

function leave(place: string, eventId: string = uuidv7(), hold = holdMs) {
  return leaveNote(database.work, speaker, { tenant: "default", place, eventId }, note, hold)
}

it("a place is told once, whoever comes later", async () => {
  const place = newThread()
  expect(await leave(place)).toBe("left")
  expect(await leave(place)).toBe("was there")
  expect(provider.said.map(({ text }) => text)).toEqual(["<https://hub.test/t|Timeline of this thread>"])
  expect(provider.calls).toHaveLength(1)
})

it("a place is told once by many at the same time", async () => {
  const place = newThread()
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => leave(place)))
  expect(outcomes.filter((outcome) => outcome === "left")).toHaveLength(1)
  expect(provider.said).toHaveLength(1)
})

describe("where the answer is lost", () => {
  it("the place is left alone until no call can be under way, and then the note is found", async () => {
    const [place, eventId] = [newThread(), uuidv7()]
    provider.mishaps.push("answer lost")
    await expect(leave(place, eventId)).rejects.toMatchObject({ code: "unavailable" })
    await expect(leave(place, eventId)).rejects.toMatchObject({ code: "unavailable", retryAfter: 2 })
    expect(await leave(place)).toBe("another event is at it")
    await sleep(holdMs + 50)
    expect(await leave(place, eventId)).toBe("was there")
    expect(await leave(place)).toBe("was there")
    expect(provider.said).toHaveLength(1)
  })

  it("nor does it matter who goes on", async () => {
    const place = newThread()
    provider.mishaps.push("answer lost")
    await expect(leave(place)).rejects.toMatchObject({ code: "unavailable" })
    await sleep(holdMs + 50)
    const outcomes = await Promise.all([leave(place), leave(place), leave(place)])
    expect(outcomes).toContain("was there")
    expect(provider.said).toHaveLength(1)
  })
})

it("what the provider refuses for now is tried again at once", async () => {
  const [place, eventId] = [newThread(), uuidv7()]
  provider.mishaps.push("limited")
  await expect(leave(place, eventId)).rejects.toMatchObject({ code: "too_many_requests", retryAfter: 1 })
  expect(await leave(place, eventId)).toBe("left")
  expect(provider.said).toHaveLength(1)
})

it("what it refuses for good is said in words", async () => {
  provider.mishaps.push("refused")
  await expect(leave(newThread())).rejects.toMatchObject({
    code: "bad_request",
    message: "Slack's API refuses the call: not_in_channel",
  })
})

it("a process that dies between the call and its record has told it once all the same", async () => {
  const wish = { tenant: "default", place: newThread(), eventId: uuidv7() }
  const task: NoteTask = { databaseUrl: database.url, slackUrl: provider.slackUrl, wish, holdMs: 1_000 }
  const child = fork(new URL("support/note-child.ts", import.meta.url), [JSON.stringify(task)], {
    execArgv: [],
  })
  const ended = once(child, "exit")
  provider.onSaid = () => child.kill("SIGKILL")
  provider.mishaps.push("answer lost")
  expect((await ended)[1]).toBe("SIGKILL")
  provider.onSaid = () => {}
  expect(provider.said).toHaveLength(1)
  await sleep(1_100)
  expect(await leave(wish.place, wish.eventId)).toBe("was there")
  expect(provider.said).toHaveLength(1)
})
