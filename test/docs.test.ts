import { execFile } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, test } from "vitest"
import { deployment } from "../src/platforms/deployment/index.ts"
import { isTriggered } from "./support/argo-trigger.ts"
import { renderTemplate } from "./support/go-template.ts"
import { loadSigner } from "./support/fixtures.ts"
import { adminKey, startTestHub } from "./support/hub.ts"

const run = promisify(execFile)
const folder = fileURLToPath(new URL("../docs/", import.meta.url))
const names = readdirSync(folder).filter((name) => name.endsWith(".md"))
const textOf = (name: string) => readFileSync(folder + name, "utf8")
const blocks = (name: string, language: string) =>
  [...textOf(name).matchAll(/```(\w+)\n([\s\S]*?)```/g)].flatMap(([, of, text = ""]) =>
    of === language ? [text] : [],
  )

const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
const secrets: Readonly<Record<string, string>> = {
  render: signing,
  railway: "X-Webhook-Secret: a-value-of-some-length",
}
const senders = deployment.senders ?? []
const secretOf = (sender: string) => secrets[sender] ?? "a-token-of-some-length"
const secretFor = async (platform: string) => (await loadSigner(platform))?.secrets[0] ?? ""
const { url, database, json } = await startTestHub({
  secrets: {
    deployment: [signing],
    github: [await secretFor("github")],
    linear: [await secretFor("linear")],
    slack: [await secretFor("slack")],
  },
  sources: senders.map((name) => ({ platform: "deployment", name, sender: name, secrets: [secretOf(name)] })),
})

const examples = ["deployments.md", "argocd.md"].flatMap((name) =>
  blocks(name, "sh")
    .filter((text) => text.includes("curl"))
    .map((text) => ({
      text,
      source: /\/webhooks\/deployment(?:\/(\w+))?/.exec(text)?.[1],
      to: /\/webhooks\/\S+/.exec(text)?.[0],
    })),
)

test("every sender has an example", () => {
  expect(new Set(examples.map(({ source }) => source))).toEqual(new Set([undefined, ...senders]))
})

test.each(examples)("the example for $to works as it stands", async ({ text, source }) => {
  const secret = source === undefined ? signing : secretOf(source)
  const script = `set -euo pipefail\n${text.replaceAll("https://hub.example", url)}`
  const { stdout } = await run("bash", ["-c", script], {
    env: { ...process.env, SECRET: secret },
    timeout: 20_000,
  })
  const answer: { eventId?: string; events?: { eventId: string }[] } = JSON.parse(stdout)
  const ids = [answer.eventId, ...(answer.events ?? []).map(({ eventId }) => eventId)].filter(Boolean)
  expect(ids.length, stdout).toBeGreaterThan(0)
  const { rows } = await database.work.query("select type from events where id = any($1::uuid[])", [ids])
  expect(rows).toHaveLength(ids.length)
  for (const { type } of rows) expect(type).toMatch(/^deployment\.(?!unknown\.received)/)
})

const byHand = blocks("sending.md", "sh").filter((text) => text.includes("curl"))

test.each(byHand.map((text) => ({ text, to: /(?:\/webhooks|\/api\/v1)\/\w+/.exec(text)?.[0] })))(
  "the example of sending by hand to $to works as it stands",
  async ({ text }) => {
    const script = `set -euo pipefail\n${text.replaceAll("http://localhost:3000", url)}`
    const { stdout } = await run("bash", ["-c", script], {
      env: {
        ...process.env,
        GITHUB_WEBHOOK_SECRET: await secretFor("github"),
        LINEAR_WEBHOOK_SECRET: await secretFor("linear"),
        SLACK_SIGNING_SECRET: await secretFor("slack"),
        KEY: adminKey,
      },
      timeout: 20_000,
    })
    expect(JSON.parse(stdout)).toMatchObject({ eventId: expect.any(String), duplicate: false })
  },
)

test("what is sent by hand is tied together", async () => {
  expect(byHand).toHaveLength(5)
  await expect
    .poll(async () => (await json("/api/v1/entities/linear:issue:ENG-123/timeline?payload=false")).body, {
      timeout: 20_000,
    })
    .toMatchObject({
      events: expect.arrayContaining(
        [
          "github.pull_request.opened",
          "linear.issue.create",
          "slack.message.posted",
          "billing.invoice.paid",
        ].map((type) => expect.objectContaining({ type })),
      ),
    })
})

test("the secrets that are made for sending by hand are such as a hub takes", async () => {
  const script = `${blocks("sending.md", "sh")[0]?.replace("npm start", "")}\necho "$DEPLOYMENT_WEBHOOK_SECRET"`
  const { stdout } = await run("bash", ["-c", script])
  expect(deployment.checkSecret?.(stdout.trim())).toBeNull()
})

describe("the template for Argo CD", () => {
  const yaml = blocks("argocd.md", "yaml")[0] ?? ""
  const template = /body: \|\n([\s\S]*?)\n {2}trigger/.exec(yaml)?.[1] ?? ""
  const triggers = [...yaml.matchAll(/trigger\.signalbox-(\w+): \|\n +- when: (.+)/g)]
  const receivedAt = new Date("2026-11-21T15:00:00Z")
  const app = {
    metadata: { name: "api", namespace: "argocd", labels: { environment: "production" } },
    spec: {
      source: { repoURL: "https://github.com/acme/api.git", targetRevision: "main" },
      destination: { namespace: "api" },
    },
    status: {
      health: { status: "Healthy" },
      operationState: {
        phase: "Succeeded",
        startedAt: "2026-11-21T10:59:00Z",
        finishedAt: "2026-11-21T11:00:00Z",
        syncResult: { revision: "4f2a1c9be8d7306a5b4c3d2e1f00112233445566" },
        operation: { initiatedBy: { username: 'a "dev"' } },
      },
    },
  }
  const read = (given: unknown) => {
    const rendered = renderTemplate(template, {
      app: given,
      context: { argocdUrl: "https://argocd.example" },
    })
    const message = { sender: "argocd", headers: {}, contentType: "application/json", receivedAt }
    return deployment.normalize({ ...message, payload: JSON.parse(rendered) })
  }
  const sent = (given: unknown): string[] =>
    triggers.flatMap(([, name = "", when = ""]) => (isTriggered(when, { app: given }) ? name : []))
  const withStatus = (health: string, operation: object) => ({
    ...app,
    status: { health: { status: health }, operationState: { ...app.status.operationState, ...operation } },
  })

  test("writes what its sender reads", () => {
    expect(sent(app)).toEqual(["deployed"])
    expect(read(app)).toMatchObject({
      type: "deployment.production.success",
      entity: "deployment:argocd/api/2026-11-21T10:59:00Z",
      url: "https://argocd.example/applications/argocd/api",
      occurredAt: new Date("2026-11-21T11:00:00Z"),
      actor: { name: 'a "dev"' },
      detail: { repository: "acme/api", sha: app.status.operationState.syncResult.revision, ref: "main" },
    })
    const bare = {
      metadata: { name: "api", namespace: "argocd" },
      spec: { destination: { namespace: "staging" } },
      status: { operationState: { phase: "Running", startedAt: "2026-11-21T10:59:00Z" } },
    }
    expect(read(bare)).toMatchObject({
      type: "deployment.staging.in_progress",
      occurredAt: new Date("2026-11-21T10:59:00Z"),
      actor: null,
      detail: { sha: null, repository: null },
    })
  })

  test("tells of what degrades after its sync when that is heard, since nobody tells when it was", () => {
    const degraded = withStatus("Degraded", {})
    expect(sent(degraded)).toEqual(["degraded"])
    expect(read(degraded)).toMatchObject({ type: "deployment.production.failure", occurredAt: receivedAt })
  })

  test("takes the sync that mends a degraded application for none that failed, until it does", () => {
    const running = withStatus("Degraded", { phase: "Running", finishedAt: undefined })
    expect(sent(running)).toEqual(["running"])
    expect(read(running).type).toBe("deployment.production.in_progress")
    const failed = withStatus("Degraded", { phase: "Failed" })
    expect(sent(failed)).toEqual(["failed"])
    expect(read(failed)).toMatchObject({
      type: "deployment.production.failure",
      occurredAt: new Date("2026-11-21T11:00:00Z"),
    })
  })
})

test("the queries run", async () => {
  for (const query of names.flatMap((name) => blocks(name, "sql"))) {
    await expect(database.work.query(query)).resolves.toHaveProperty("rows")
  }
})

test("every sender that is named exists, and every file that is linked to", () => {
  for (const name of names) {
    for (const [, sender] of textOf(name).matchAll(/--sender (\w+)/g)) expect(senders).toContain(sender)
    for (const [, path] of textOf(name).matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      expect(existsSync(folder + path), `${name} links to ${path}`).toBe(true)
    }
  }
})
