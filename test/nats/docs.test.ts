import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream"
import { connect } from "@nats-io/transport-node"
import { describe, expect, onTestFinished, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createNatsLink } from "../../src/nats/link.ts"
import { createPublisher } from "../../src/nats/publisher.ts"
import { readNatsUrl } from "../../src/nats/settings.ts"
import { subjectNames } from "../../src/nats/subject.ts"
import { logEvents } from "../support/events.ts"
import { until } from "../support/hub.ts"
import { freshDatabases } from "./support/fresh-databases.ts"
import { ownNats, withoutNats } from "./support/nats-server.ts"

const root = join(import.meta.dirname, "../..")
const text = await readFile(join(root, "docs/many-machines.md"), "utf8")
const block = (opening: string): string =>
  new RegExp(`\`\`\`${opening}\\n([\\s\\S]*?)\`\`\``).exec(text)?.[1] ?? ""
const fresh = await freshDatabases(2)

/** Publishes the log of a new database with an event of each of some types. */
async function published(url: string, events: readonly { tenant: string; type: string }[]): Promise<void> {
  const database = fresh()
  await logEvents(database.work, events)
  const address = readNatsUrl(url)
  if (address === null) throw new Error("not an address")
  const link = createNatsLink({ address, log: silentLog })
  const publisher = createPublisher({
    link,
    database,
    names: subjectNames("signalbox"),
    settings: {},
    log: silentLog,
  })
  link.start()
  publisher.start()
  onTestFinished(() => publisher.stop().then(() => link.stop()))
  await until(
    async () => (await database.work.query("select position from log_publications")).rows,
    (rows) => rows[0]?.["position"] === events.length,
  )
}

describe.skipIf(withoutNats !== undefined)("docs/many-machines.md", () => {
  test("its consumer prints what it says, of its filter alone", async () => {
    const nats = await ownNats()
    await nats.start()
    const types = ["github.push.pushed", "deployment.production.succeeded", "deployment.staging.failed"]
    await published(
      nats.url,
      types.map((type) => ({ tenant: "default", type })),
    )
    const child = spawn(process.execPath, ["--input-type=module", "-e", block("js")], {
      cwd: root,
      env: { ...process.env, NATS_SERVER: nats.url },
      stdio: ["ignore", "pipe", "inherit"],
    })
    onTestFinished(() => void child.kill())
    const lines: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      if (lines.push(line) === 2) break
    }
    expect(lines).toEqual(["2 deployment.production.succeeded null", "3 deployment.staging.failed null"])
    child.kill()
    await once(child, "exit")
  }, 60_000)

  test("its permissions let a tenant consume its own events, and nobody else's", async () => {
    const folder = await mkdtemp(join(tmpdir(), "signalbox-nats-docs-"))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, "nats.conf")
    const config = text.slice(text.indexOf("authorization {"))
    const given = config
      .slice(0, config.indexOf("```"))
      .replace('"$HUB_PASSWORD"', "h")
      .replace('"$ACME_PASSWORD"', "a")
    await writeFile(file, given)
    const nats = await ownNats(["-c", file])
    await nats.start()
    await published(nats.url.replace("nats://", "nats://hub:h@"), [
      { tenant: "acme", type: "test.thing.one" },
      { tenant: "other", type: "test.thing.two" },
    ])
    const servers = nats.url.replace("nats://", "")
    const acme = await connect({ servers, user: "acme", pass: "a", inboxPrefix: "_INBOX_acme" })
    onTestFinished(() => acme.close())
    const manager = await jetstreamManager(acme, { checkAPI: false, timeout: 1_000 })
    const add = (name: string, filter: string) =>
      manager.consumers.add("SIGNALBOX", {
        durable_name: name,
        ack_policy: AckPolicy.Explicit,
        filter_subject: filter,
      })
    const refused = /timeout|permissions/i
    await add("acme-board", "signalbox.acme.>")
    const consumer = await jetstream(acme).consumers.get("SIGNALBOX", "acme-board")
    const message = await consumer.next({ expires: 5_000 })
    expect(message?.json()).toMatchObject({ tenant: "acme", type: "test.thing.one" })
    expect(await consumer.next({ expires: 1_000 })).toBeNull()
    await expect(add("acme-board", "signalbox.other.>")).rejects.toThrow(refused)
    await expect(add("acme-board", "signalbox.>")).rejects.toThrow(refused)
    await expect(add("another", "signalbox.acme.>")).rejects.toThrow(refused)
    await expect(manager.streams.getMessage("SIGNALBOX", { seq: 2 })).rejects.toThrow(refused)
    await expect(
      jetstream(acme).publish("signalbox.acme.test.forged", "{}", { timeout: 1_000 }),
    ).rejects.toThrow(refused)
  }, 60_000)
})
