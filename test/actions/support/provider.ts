import { once } from "node:events"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll } from "vitest"

/** What somebody said at a provider. */
export interface Said {
  /** `C1/1700000000.000100` of a thread, `acme/api#42` of a pull request or issue. */
  place: string
  text: string
  /** As the provider keeps it. */
  message: Readonly<Record<string, unknown>>
}

/** How a request ends that is not answered as asked. */
export type Mishap =
  /** It is carried out, and the answer is lost. */
  | "answer lost"
  /** It is refused, with a time to wait. */
  | "limited"
  /** It is refused for good. */
  | "refused"

/** Slack's and GitHub's APIs as far as notes need them, over real HTTP; closed after the file. */
export interface Provider {
  slackUrl: string
  githubUrl: string
  said: Said[]
  /** Method and place of each request. */
  calls: string[]
  /** What befalls the next requests that would say something. */
  mishaps: Mishap[]
  /** Told once something was said, before it is answered. */
  onSaid: () => void
}

export const slackToken = "xoxb-a-token"
export const githubToken = "ghp_atoken"

/** Starts one; nothing was said there yet. */
export async function startProvider(): Promise<Provider> {
  let seconds = 1_700_500_000
  const provider: Provider = {
    slackUrl: "",
    githubUrl: "",
    said: [],
    calls: [],
    mishaps: [],
    onSaid: () => {},
  }
  const server = createServer((request, response) => {
    void answer(request).then((reply) => {
      if (reply === null) return response.destroy()
      response.writeHead(reply.status, { "content-type": "application/json", ...reply.headers })
      return response.end(JSON.stringify(reply.body))
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  afterAll(() => new Promise((resolve) => server.close(resolve)))
  const { port } = server.address() as AddressInfo
  provider.slackUrl = `http://127.0.0.1:${port}/slack/`
  provider.githubUrl = `http://127.0.0.1:${port}/github`
  return provider

  async function answer(request: IncomingMessage): Promise<Reply | null> {
    const url = new URL(request.url ?? "", "http://provider")
    const body = await bodyOf(request)
    const [, api, ...path] = url.pathname.split("/")
    return api === "slack"
      ? slack(path.join("/"), new URLSearchParams(body), request)
      : github(path.join("/"), body, request)
  }

  function slack(method: string, args: URLSearchParams, request: IncomingMessage): Reply | null {
    if (request.headers.authorization !== `Bearer ${slackToken}`)
      return ok({ ok: false, error: "invalid_auth" })
    const place = `${args.get("channel")}/${args.get("thread_ts") ?? args.get("ts")}`
    provider.calls.push(`${method} ${place}`)
    const inThread = provider.said.filter((one) => one.place === place).map(({ message }) => message)
    if (method === "conversations.replies") return ok({ ok: true, messages: inThread, has_more: false })
    const ts = `${++seconds}.000100`
    const text = args.get("text") ?? ""
    const message = { ts, text, blocks: JSON.parse(args.get("blocks") ?? "[]") as unknown }
    return say({ place, text, message }, () => ok({ ok: true, ts, channel: args.get("channel") }), {
      limited: { status: 429, headers: { "retry-after": "1" }, body: { ok: false, error: "ratelimited" } },
      refused: ok({ ok: false, error: "not_in_channel" }),
    })
  }

  function github(path: string, body: string, request: IncomingMessage): Reply | null {
    const [, place = "", number = ""] = /^repos\/([^/]+\/[^/]+)\/issues\/(\d+)\/comments$/.exec(path) ?? []
    if (request.headers.authorization !== `Bearer ${githubToken}`) return { status: 401, body: {} }
    provider.calls.push(`${request.method} ${place}#${number}`)
    const here = provider.said.filter((one) => one.place === `${place}#${number}`)
    if (request.method === "GET") return ok(here.map(({ message }) => message))
    const text = String((JSON.parse(body) as { body: unknown }).body)
    const message = { body: text, html_url: `https://github.com/${place}/pull/${number}#1` }
    return say({ place: `${place}#${number}`, text, message }, () => ({ status: 201, body: message }), {
      limited: { status: 403, headers: { "retry-after": "1" }, body: { message: "secondary rate limit" } },
      refused: { status: 403, body: { message: "Resource not accessible" } },
    })
  }

  function say(said: Said, done: () => Reply, instead: Record<"limited" | "refused", Reply>): Reply | null {
    const mishap = provider.mishaps.shift()
    if (mishap === "limited" || mishap === "refused") return instead[mishap]
    provider.said.push(said)
    provider.onSaid()
    return mishap === "answer lost" ? null : done()
  }
}

interface Reply {
  status: number
  headers?: Record<string, string>
  body: unknown
}

function ok(body: unknown): Reply {
  return { status: 200, body }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}
