import { createClient, isEvent } from "../src/client/index.ts" // from "signalbox/client", where it is installed

const client = createClient({
  url: process.env["SIGNALBOX_URL"] ?? "http://localhost:3000",
  key: process.env["SIGNALBOX_API_KEY"] ?? "",
})
const stop = new AbortController()
process.once("SIGINT", () => stop.abort())

const stream = client.stream("all_events", {
  after: Number(process.env["AFTER"] ?? 0), // the position that was kept at the end of the last run
  types: ["github.pull_request.*", "deployment.**"],
  signal: stop.signal,
  onRetry: ({ error, delayMs }) => console.error(`${error.message}; again in ${delayMs} ms`),
  onGap: ({ from, to }) => console.error(`positions ${from} to ${to} are past retention`),
})
for await (const { position, event } of stream) {
  if (isEvent(event, "github", "pull_request:opened")) {
    console.log(position, event.payload.pull_request.title, "by", event.actor?.name)
  } else if (event.platform === "deployment" && event.entity !== null) {
    const { summary } = await client.status(event.entity)
    console.log(position, event.type, summary)
  }
}
console.log("go on with AFTER =", stream.position)
