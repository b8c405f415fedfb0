import { createHub } from "../src/index.ts" // from "signalbox", where it is installed as a package

const hub = createHub() // set up by the same variables as `npm start`, in whose place it runs

hub.github.event("pull_request:opened", async (event, ctx) => {
  console.log(event.payload.pull_request.title, "by", event.actor?.name, "attempt", ctx.attempt)
})
hub.on("deployment.production.success", (event) => console.log("live:", event.entity))

await hub.start().catch((error: Error) => {
  console.error(error.message) // says what to mend
  process.exit(1)
})
console.log(hub.url)
process.once("SIGINT", () => void hub.stop())
