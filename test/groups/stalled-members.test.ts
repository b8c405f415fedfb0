import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { expect, it, onTestFinished } from "vitest"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { joinGroup, makeGroup } from "./support/members.ts"
import { startMemberServer } from "./support/member-server.ts"

const hub = await startTestHub()
const authorization = `Bearer ${adminKey}`

/** Sends a request and never reads: what came is the kernel's alone. */
async function ask(port: number, path: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1")
  onTestFinished(() => void socket.destroy())
  socket.on("error", () => {})
  socket.pause()
  const asked = Promise.withResolvers<void>()
  const request = `GET ${path} HTTP/1.1\r\nhost: hub\r\nauthorization: ${authorization}\r\n\r\n`
  socket.write(request, () => asked.resolve())
  await asked.promise
  return socket
}

const noise = (bytes: number) => ({ noise: randomBytes((bytes * 3) / 4).toString("base64") })

it(
  "a member whose stream is not read any more loses its partitions to others",
  { timeout: 120_000 },
  async () => {
    const { port } = await startMemberServer(hub, { stallMs: 1_000 })
    const group = await makeGroup(hub, "hung", { partitions: 2, sessionSeconds: 3_600 })
    const hung = await joinGroup(hub, group)
    expect((await hung.heartbeat()).assignments).toHaveLength(2)
    await ask(port, `${hung.path}/sse`)
    const heir = await joinGroup(hub, group)
    // More than the kernel takes for a client.
    for (let batch = 0; batch < 16; batch++) {
      await logEvents(hub.database.work, [{ entity: "thing:1", payload: noise(2 << 20) }])
    }
    const held = await until(
      () => heir.heartbeat(),
      ({ assignments }) => assignments.length === 2,
      60_000,
    )
    expect(held.revoking).toEqual([])
  },
)

it(
  "a member that takes nothing of its answers gets no more of them, and is cut off in the end",
  { timeout: 120_000 },
  async () => {
    const size = 24 << 20 // more than the kernel takes for a client
    const { url, port } = await startMemberServer(hub, { heldBytes: 1.25 * size, takeMs: 8_000 })
    const group = await makeGroup(hub, "untaken", { partitions: 1, sessionSeconds: 60 })
    const member = await joinGroup(hub, group)
    const path = `${member.path}/events?wait=0&bytes=8388608`
    await member.heartbeat()
    await logEvents(hub.database.work, [{ entity: "thing:1", payload: noise(size) }])
    const answer = async () => {
      const response = await fetch(url + path, { headers: { authorization } })
      return { status: response.status, bytes: (await response.arrayBuffer()).byteLength }
    }
    await until(answer, ({ bytes }) => bytes > size)
    const stalled = await ask(port, path)
    stalled.resume()
    await once(stalled, "data") // it is being answered
    stalled.pause()
    await until(answer, ({ status }) => status === 429, 30_000)
    await until(answer, ({ status }) => status === 200, 60_000)
    let taken = 0
    stalled.on("data", (bytes: Buffer) => (taken += bytes.length))
    stalled.resume() // or it would not hear that it was cut off
    await once(stalled, "close")
    expect(taken).toBeLessThan(size)
  },
)
