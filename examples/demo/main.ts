/**
 * A story of one issue, told by four platforms out of order and with repeats, sent to a fresh hub as
 * signed webhooks over HTTP. Prints the live stream as it happens, then what came of it.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createHub, createLog } from "../../src/index.ts"
import { limitsStory, loggerStory } from "../../fixtures/correlation/story.ts"
import { printTimeline } from "./print-timeline.ts"
import { statusInOneLine } from "./status-in-one-line.ts"
import { demoSecrets, sendSigned } from "./send-signed.ts"
import { followStream } from "./follow-stream.ts"
import { shuffled } from "./shuffled.ts"

const began = performance.now()
const dataDir = await mkdtemp(join(tmpdir(), "signalbox-demo-"))
let adminKey = ""
const hub = createHub({
  databaseUrl: null, // its own, on an empty folder, whatever the environment says
  dataDir,
  host: "127.0.0.1",
  port: 0,
  roles: ["ingest", "worker", "stream", "api"],
  secrets: demoSecrets,
  log: createLog("error"),
  onFirstAdminKey: (key) => void (adminKey = key),
})
try {
  print("Starting a hub with its own PostgreSQL on an empty folder …")
  await hub.start()
  const { issue } = await tellStory(hub.url ?? "", adminKey)
  print(
    `\nDone in ${((performance.now() - began) / 1000).toFixed(1)} s. Is it live? As "signalbox status" has it:`,
  )
  print(`  ${await statusInOneLine(hub.url ?? "", adminKey, issue)}`)
} finally {
  await hub.stop()
  await rm(dataDir, { recursive: true, force: true })
}

async function tellStory(url: string, key: string): Promise<{ issue: string }> {
  const start = new Date(Date.now() - 3_600_000)
  const story = limitsStory(start)
  const requests = [...story.requests, ...loggerStory(start).requests]
  print(`${url} is ready. ${requests.length} events of two issues go in, shuffled; every third one twice.\n`)
  print("position  by the sender's clock   type                                    about")

  const stream = await followStream(url, key, requests.length)
  let duplicates = 0
  for (const [index, request] of shuffled(requests).entries()) {
    const repeats = index % 3 === 0 ? 2 : 1
    for (let n = 0; n < repeats; n++) {
      if ((await sendSigned(url, request)).duplicate) duplicates++
    }
  }
  await stream.complete
  print(`\n${duplicates} repeats were recognized: each event stands in the log once, positions have no hole.`)
  await printTimeline(url, key, story.issue, print)
  return { issue: story.issue }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
