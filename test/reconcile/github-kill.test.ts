import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { playHistory } from "../support/worlds/github-history.ts"
import { serveWorld } from "../support/worlds/serve-github.ts"
import { randomOf } from "../support/worlds/random.ts"
import {
  fingerprintsHere,
  fingerprintsThere,
  ledgerOf,
  reconcileToEnd,
  startGithubHub,
} from "./support/hub-of-github.ts"

const newWorld = await startGithubHub()
const minute = 60_000

test("a reconciler that is killed at any point changes nothing", async () => {
  const hub = await newWorld({ options: { leaseMs: 600 } })
  const { world } = hub
  const from = new Date(Date.now() - 4 * 60 * minute)
  await playHistory(world, { seed: 21, things: 200, lost: 90, from, everyMs: minute })
  const apiUrl = await serveWorld(world)
  const random = randomOf(5)

  let killed = 0
  for (let round = 0; round < 8; round++) {
    const given = {
      databaseUrl: hub.database.url,
      sourceId: hub.source.id,
      name: hub.source.name,
      apiUrl,
      credential: world.token,
    }
    const child = spawn(process.execPath, [childPath, JSON.stringify(given)], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    const end = world.calls.length + 4 + Math.floor(random() * 40)
    world.onCall = () => void (world.calls.length >= end && child.kill("SIGKILL"))
    await once(child, "exit")
    if (child.signalCode === "SIGKILL") killed++
    await new Promise((resolve) => setTimeout(resolve, 700)) // the dead one's lease
  }
  world.onCall = () => {}
  expect(killed).toBeGreaterThan(3)
  await reconcileToEnd(hub)
  await world.idle()
  expect(await fingerprintsHere(hub)).toEqual(fingerprintsThere(hub))
  expect(await ledgerOf(hub)).toMatchObject({ repaired: 90, open: 0, lost: 0, problem: null })
}, 120_000)

const childPath = fileURLToPath(new URL("github-child.ts", import.meta.url))
