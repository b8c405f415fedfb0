/**
 * Child process of the WebSocket bench: live streams as one would write them first. `ws`, with one
 * `send(JSON.stringify(…))` for every client and event.
 */
import { createServer } from "node:http"
import { getRequestListener } from "@hono/node-server"
import { WebSocketServer } from "ws"
import { announce } from "./child-server.ts"
import { listen } from "./listen.ts"
import { memoryRoute } from "./memory-route.ts"
import { followLog } from "./textbook-log.ts"

const answer = getRequestListener(memoryRoute().fetch)
const server = createServer((request, response) => void answer(request, response))
const websockets = new WebSocketServer({ server })
websockets.on("connection", (socket) => socket.send(JSON.stringify({ kind: "open" })))
const unfollow = await followLog(process.env["BENCH_DATABASE_URL"] ?? "", (event) => {
  for (const socket of websockets.clients) {
    socket.send(JSON.stringify({ kind: "event", position: Number(event.position), event }))
  }
})

announce(await listen(server), async () => {
  server.close()
  await unfollow()
})
