import { expect, test } from "vitest"
import { z } from "zod"
import { silentLog } from "../../src/core/log.ts"
import type { ConnectPlan } from "../../src/core/remote.ts"
import { slack } from "../../src/platforms/slack/index.ts"
import { allScopes } from "../support/worlds/slack.ts"

async function plan(
  options: Record<string, string> = {},
  webhookUrl = "https://hub.example/webhooks/slack",
): Promise<ConnectPlan> {
  const { connector } = (await slack.calls?.load()) ?? {}
  const signal = new AbortController().signal
  const access = {
    apiUrl: null,
    credential: "",
    settings: {},
    clock: () => new Date(),
    signal,
    log: silentLog,
  }
  return connector!.plan({ access, source: "default", webhookUrl, secret: null, options })
}

const https = z.url({ protocol: /^https$/ })
const text = (max: number) => z.string().min(1).max(max)

/** The part of Slack's manifest schema that is used, with its limits, as Slack documents them. */
const manifestSchema = z.strictObject({
  _metadata: z.strictObject({ major_version: z.union([z.literal(1), z.literal(2)]) }),
  display_information: z.strictObject({ name: text(35), description: text(140) }),
  features: z.strictObject({
    bot_user: z.strictObject({ display_name: text(80).regex(/^[a-z0-9._-]+$/), always_online: z.boolean() }),
    slash_commands: z
      .array(
        z.strictObject({
          command: text(32).startsWith("/"),
          url: https,
          description: text(2_000),
          should_escape: z.boolean(),
        }),
      )
      .max(50)
      .optional(),
  }),
  oauth_config: z.strictObject({ scopes: z.strictObject({ bot: z.array(z.string()).max(255) }) }),
  settings: z.strictObject({
    event_subscriptions: z.strictObject({ request_url: https, bot_events: z.array(z.string()).max(100) }),
    interactivity: z.strictObject({ is_enabled: z.literal(true), request_url: https }),
    org_deploy_enabled: z.boolean(),
    socket_mode_enabled: z.literal(false),
    token_rotation_enabled: z.boolean(),
  }),
})

async function manifestOf(options: Record<string, string> = {}) {
  const { text: manifest } = await (await plan(options)).apply()
  return manifestSchema.parse(JSON.parse(manifest ?? ""))
}

test("the manifest is one that Slack takes, and asks for all that a sweep reads", async () => {
  const { features, oauth_config, settings } = await manifestOf({ name: "Release Bot", command: "/deploy" })
  expect(features.bot_user.display_name).toBe("release-bot")
  expect(features.slash_commands?.map(({ command }) => command)).toEqual(["/deploy"])
  expect(settings.event_subscriptions.request_url).toBe("https://hub.example/webhooks/slack")
  expect(settings.event_subscriptions.bot_events).toEqual(
    expect.arrayContaining([
      "app_mention",
      "message.channels",
      "message.groups",
      "message.im",
      "reaction_added",
    ]),
  )
  expect(oauth_config.scopes.bot).toEqual(expect.arrayContaining([...allScopes, "commands"]))
  expect((await manifestOf()).oauth_config.scopes.bot).not.toContain("commands")
})

async function scopes(options?: Record<string, string>): Promise<string[]> {
  return (await manifestOf(options)).oauth_config.scopes.bot
}

test("leave to write is asked for only where links to timelines are to be posted", async () => {
  expect(await scopes()).not.toContain("chat:write")
  expect(await scopes({ notes: "no" })).not.toContain("chat:write")
  expect(await scopes({ notes: "yes" })).toEqual([...(await scopes()), "chat:write"])
})

test("nothing is asked of Slack: the steps tell what to do, and the same is planned each time", async () => {
  const { steps } = await plan()
  expect(new Set(steps.map(({ action }) => action))).toEqual(new Set(["paste"]))
  expect(steps.map(({ what }) => what).join("\n")).toContain("https://api.slack.com/apps?new_app=1")
  expect((await plan()).steps).toEqual(steps)
})

test.each([
  [{ name: "a name that is longer than thirty-five characters" }, "https://hub.example/webhooks/slack"],
  [{ notes: "maybe" }, "https://hub.example/webhooks/slack"],
  [{ command: "deploy" }, "https://hub.example/webhooks/slack"],
  [{}, "http://hub.example/webhooks/slack"],
] as const)("what Slack would refuse is refused at once: %j %s", async (options, url) => {
  await expect(plan(options, url)).rejects.toMatchObject({ code: "bad_request" })
})
