// Runs in a page: consumers of a stream as pages have them, and what each has seen.
import { createClient } from "./client/index.js"

/** What has been seen, by consumer; the test looks at it. */
const followers = {}

/** Starts all of them behind a position; `type` is that of the events, which an EventSource must know. */
export function start({ hub, after, type }) {
  window.followers = followers
  followByEventSource("EventSource through the page's server", { after, type }, async (last) => path(last))
  followByEventSource("EventSource by tokens", { after, type }, async (last) => {
    return `${hub}${path(last)}&token=${await streamToken("all_events")}`
  })
  for (const transport of ["sse", "websocket"]) {
    void followByClient(`client by key, ${transport}`, { url: hub, token: pageKey }, { after, transport })
    void followByClient(`client by tokens, ${transport}`, { url: hub, streamToken }, { after, transport })
  }
}

function begin(name) {
  const log = { positions: [], gaps: [], opened: 0, givenUp: [] }
  followers[name] = log
  return log
}

/** A token is good for one connection, so that this one opens anew, with another, wherever the browser gives up. */
function followByEventSource(name, { after, type }, addressOf) {
  const log = begin(name)
  const again = (why) => {
    log.givenUp.push(why)
    setTimeout(open, 300)
  }
  const open = async () => {
    try {
      const source = new EventSource(await addressOf(log.positions.at(-1) ?? after))
      source.addEventListener("open", () => log.opened++)
      source.addEventListener("error", () => {
        if (source.readyState === EventSource.CLOSED) again("closed")
      })
      source.addEventListener(type, ({ lastEventId }) => log.positions.push(Number(lastEventId)))
      source.addEventListener("gap", ({ data }) => log.gaps.push(JSON.parse(data)))
    } catch (error) {
      again(String(error))
    }
  }
  void open()
}

async function followByClient(name, options, { after, transport }) {
  const log = begin(name)
  const stream = createClient(options).stream("all_events", {
    after,
    transport,
    heartbeat: 1,
    onOpen: () => log.opened++,
    onGap: (gap) => log.gaps.push(gap),
  })
  try {
    for await (const { position } of stream) log.positions.push(position)
  } catch (error) {
    log.givenUp.push(String(error))
  }
}

function path(last) {
  return `/api/v1/streams/all_events/sse?heartbeat=1&after=${last}`
}

function pageKey() {
  return textOf("/key")
}

function streamToken(stream) {
  return textOf(`/token?stream=${stream}`)
}

async function textOf(address) {
  const response = await fetch(address)
  if (!response.ok) throw new Error(`${address} answered ${response.status}`)
  return response.text()
}
