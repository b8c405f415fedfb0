import { spawn } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { expect, it, onTestFinished } from "vitest"
import { limitsStory } from "../fixtures/correlation/story.ts"
import { testDatabase } from "./support/database.ts"
import { loadSigner } from "./support/fixtures.ts"
import { adminKey, sendWebhook } from "./support/hub.ts"

const root = fileURLToPath(new URL("../", import.meta.url))
const readme = await readFile(join(root, "README.md"), "utf8")

it("the README's handler is the example, and runs as it stands", async () => {
  const file = join(root, "examples/handler.ts")
  expect(/```ts\n([\s\S]*?)```/.exec(readme)?.[1]).toBe(await readFile(file, "utf8"))

  const database = await testDatabase()
  const child = spawn(process.execPath, [file], {
    env: {
      ...process.env,
      DATABASE_URL: database.url,
      SIGNALBOX_ADMIN_KEY: adminKey,
      PORT: "0",
      HOST: "127.0.0.1",
      LOG_LEVEL: "error",
      GITHUB_WEBHOOK_SECRET: (await loadSigner("github"))?.secrets[0],
      DEPLOYMENT_WEBHOOK_SECRET: (await loadSigner("deployment"))?.secrets[0],
    },
    stdio: ["ignore", "pipe", "inherit"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  const patience = setTimeout(() => child.kill("SIGKILL"), 30_000)
  const said: string[] = []
  const wanted = new Set(["Limit the rate of requests by dev attempt 1", "live: deployment:dpl_1002"])
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("http://")) {
      for (const request of limitsStory().requests) await sendWebhook(line, request.platform, request)
    }
    said.push(line)
    wanted.delete(line)
    if (wanted.size === 0) break
  }
  clearTimeout(patience)
  expect([...wanted], said.join("\n")).toEqual([])
}, 60_000)

it("every file that the README and the contributing guide link to is there", async () => {
  const guide = await readFile(join(root, "CONTRIBUTING.md"), "utf8")
  const links = [...`${readme}\n${guide}`.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(
    ([, path]) => path ?? "",
  )
  expect(links.length).toBeGreaterThan(2)
  for (const path of links)
    await expect(readFile(join(root, path)).catch((e) => e.code)).resolves.not.toBe("ENOENT")
})

it("the commands and variables that the README names exist", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  for (const [, script] of readme.matchAll(/npm (?:run )?(start|test|demo|check|bench)\b/g)) {
    expect(scripts).toHaveProperty(script ?? "")
  }
})
