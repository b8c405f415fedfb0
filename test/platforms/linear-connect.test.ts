import { expect, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import type { ConnectPlan, ConnectRequest } from "../../src/core/remote.ts"
import { linear } from "../../src/platforms/linear/index.ts"
import { createLinearWorld, type LinearWorld, type LinearWorldOptions } from "../support/worlds/linear.ts"
import { answering } from "./support/sweeping.ts"

const startWorld = (more: Partial<LinearWorldOptions> = {}): LinearWorld =>
  answering(createLinearWorld({ clock: () => new Date(), ...more }))

async function plan(world: LinearWorld, more: Partial<ConnectRequest> = {}): Promise<ConnectPlan> {
  const { connector } = (await linear.calls?.load()) ?? {}
  return connector!.plan({
    access: {
      apiUrl: world.apiUrl,
      credential: world.apiKey,
      settings: {},
      clock: () => new Date(),
      signal: new AbortController().signal,
      log: silentLog,
    },
    source: "default",
    webhookUrl: "https://hub.example/webhooks/linear",
    secret: "lin_wh_chosen",
    options: {},
    ...more,
  })
}

const actionsOf = ({ steps }: ConnectPlan) => steps.map(({ action }) => action)

test("a plan changes nothing; carried out and planned again, it finds everything done", async () => {
  const world = startWorld()
  const first = await plan(world)
  expect(actionsOf(first)).toEqual(["create"])
  expect(world.hooks).toEqual([])
  const { settings, secret } = await first.apply()
  expect(secret).toBeUndefined()
  expect(world.hooks).toMatchObject([
    {
      url: "https://hub.example/webhooks/linear",
      secret: "lin_wh_chosen",
      allPublicTeams: true,
      enabled: true,
    },
  ])
  expect(settings).toMatchObject({
    webhookId: world.hooks[0]?.id,
    resourceTypes: world.hooks[0]?.resourceTypes,
  })

  const second = await plan(world)
  expect(actionsOf(second)).toEqual(["keep"])
  const calls = world.calls.length
  expect((await second.apply()).settings).toEqual(settings)
  expect(world.calls).toHaveLength(calls)
  expect(world.hooks).toHaveLength(1)
})

test("a hook that was disabled, has another secret or too few kinds is mended, and keeps what it had", async () => {
  const world = startWorld()
  await (await plan(world)).apply()
  for (const damage of [
    { enabled: false },
    { secret: "lin_wh_other" },
    { resourceTypes: ["Issue", "User"] },
  ]) {
    Object.assign(world.hooks[0]!, damage)
    const mending = await plan(world)
    expect(actionsOf(mending)).toEqual(["update"])
    await mending.apply()
    expect(world.hooks).toMatchObject([{ enabled: true, secret: "lin_wh_chosen" }])
  }
  expect(world.hooks[0]?.resourceTypes).toEqual(expect.arrayContaining(["User", "Comment", "Initiative"]))
})

test("a team has a hook of its own beside that of the workspace", async () => {
  const world = startWorld()
  await (await plan(world)).apply()
  const ofTeam = await plan(world, { options: { team: "eng" } })
  expect(actionsOf(ofTeam)).toEqual(["create"])
  const { settings } = await ofTeam.apply()
  expect(settings).toMatchObject({ team: "ENG", teamId: world.workspace.teams[0]?.id })
  expect(world.hooks).toHaveLength(2)
  expect(world.hooks[1]).toMatchObject({ allPublicTeams: false, team: { key: "ENG" } })
  expect(world.hooks[1]?.resourceTypes).not.toContain("Initiative")
  expect(actionsOf(await plan(world, { options: { team: "ENG" } }))).toEqual(["keep"])
  await expect(plan(world, { options: { team: "NOPE" } })).rejects.toMatchObject({ code: "not_found" })
})

test("a source without a secret learns the one that the hook has, or the one that is made for it", async () => {
  const world = startWorld()
  const made = await (await plan(world, { secret: null })).apply()
  expect(made.secret).toMatch(/^lin_wh_/)
  expect(world.hooks[0]?.secret).toBe(made.secret)
  const again = await plan(world, { secret: null })
  expect(actionsOf(again)).toEqual(["keep"])
  expect((await again.apply()).secret).toBe(made.secret)
})

test("a key that may not manage webhooks is told which scope is missing", async () => {
  const world = startWorld({ isAdmin: false })
  await expect(plan(world)).rejects.toMatchObject({
    code: "forbidden",
    message: expect.stringContaining("admin"),
  })
})
