import { setTimeout as sleep } from "node:timers/promises"
import { request } from "@octokit/request"
import type { RemoteAccess } from "../../../core/remote.ts"
import { SignalboxError } from "../../../core/errors.ts"
import { text as textAt } from "../read.ts"
import { answerOf, parsedOrNull, readText, type Answer } from "./answer.ts"
import { limitWait, tooManyRequests, type Budget } from "./budget.ts"
import type { Etags } from "./etags.ts"
import { refusalError, type Subject } from "./refusal.ts"

export interface Client {
  /** `subject` says in an error what was asked for. */
  get(path: string, subject: string | Subject): Promise<Answer>
  send(method: "POST" | "PATCH", path: string, subject: string | Subject, sending?: Sending): Promise<Answer>
}

/** What is sent, and whether it may be sent twice. */
export interface Sending {
  body?: object
  repeatable?: boolean
}

/** What the clients of one process share. */
export interface Shared {
  budgetOf(apiUrl: string, credential: string): Budget
  etags: Etags
}

const usualApiUrl = "https://api.github.com"
const timeoutMs = 30_000
const pauseMs = 300

type Method = "GET" | "POST" | "PATCH"

/** One request after another to GitHub's REST API; throws as RemoteAccess says, and never waits for a limit. */
export function createClient(access: RemoteAccess, { budgetOf, etags }: Shared): Client {
  const baseUrl = (access.apiUrl ?? usualApiUrl).replace(/\/+$/, "")
  const budget = budgetOf(baseUrl, access.credential)
  const { clock, signal } = access
  // What refuses it would say it, token and all.
  if (!/^[\x21-\x7e]+$/.test(access.credential)) {
    throw new SignalboxError(
      "configuration",
      "the token for GitHub holds characters that no header can carry",
    )
  }

  async function get(path: string, subject: string | Subject): Promise<Answer> {
    const address = `${budget.key} ${path}` // what one token may see, another may not
    const kept = etags.find(address)
    const headers = kept === undefined ? {} : { "if-none-match": kept.etag }
    const { response, text } = await again(signal, () => call("GET", path, subjectOf(subject), { headers }))
    if (response.status === 304 && kept !== undefined) return answerOf(path, kept.text, kept.link)
    const link = response.headers.get("link") ?? ""
    const etag = response.headers.get("etag")
    if (etag !== null) etags.keep(address, { etag, text, link })
    return answerOf(path, text, link)
  }

  async function send(
    method: "POST" | "PATCH",
    path: string,
    subject: string | Subject,
    { body, repeatable = false }: Sending = {},
  ): Promise<Answer> {
    const attempt = () => call(method, path, subjectOf(subject), body === undefined ? {} : { body })
    const { text } = await (repeatable ? again(signal, attempt) : attempt())
    return answerOf(path, text, "")
  }

  async function call(
    method: Method,
    path: string,
    subject: Subject,
    { headers = {}, body }: { headers?: Record<string, string>; body?: object },
  ): Promise<{ response: Response; text: string }> {
    signal.throwIfAborted()
    const options = request.endpoint({
      method,
      baseUrl,
      url: path,
      headers: {
        accept: "application/vnd.github+json",
        "user-agent": "signalbox",
        "x-github-api-version": "2022-11-28",
        authorization: `Bearer ${access.credential}`,
        ...headers,
      },
      ...(body === undefined ? {} : { data: body }),
    })
    const limit = AbortSignal.timeout(timeoutMs)
    const counted = budget.begin(clock())
    access.called?.()
    try {
      const response = await fetch(options.url, {
        method,
        headers: headersOf(options.headers),
        body: options.body === undefined ? null : JSON.stringify(options.body),
        signal: AbortSignal.any([signal, limit]),
      })
      const text = await readText(response, subject.what)
      settle(response, text, subject)
      return { response, text }
    } catch (cause) {
      if (cause instanceof SignalboxError) throw cause
      signal.throwIfAborted()
      throw new SignalboxError(
        "unavailable",
        `GitHub's API at ${baseUrl} could not be reached for ${subject.what}`,
        {
          cause,
        },
      )
    } finally {
      counted()
    }
  }

  /** Learns from an answer, and throws where it is no success. */
  function settle(response: Response, text: string, subject: Subject): void {
    const { status, headers } = response
    const now = clock()
    budget.note(headers)
    if (response.ok || status === 304) return
    const data = parsedOrNull(text)
    const wait = limitWait(status, headers, textAt(data, "documentation_url") ?? "", now)
    if (wait !== null) {
      budget.block(new Date(now.getTime() + wait * 1_000))
      throw tooManyRequests(wait * 1_000)
    }
    throw refusalError({ status, headers, data, ...subject })
  }

  return { get, send }
}

// A gateway of GitHub's now and then answers 502: one more try spares a whole sweep's end.
async function again<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (!(error instanceof SignalboxError) || error.code !== "unavailable") throw error
    await sleep(pauseMs, undefined, { signal })
    return attempt()
  }
}

function subjectOf(subject: string | Subject): Subject {
  return typeof subject === "string" ? { what: subject } : subject
}

function headersOf(headers: Readonly<Record<string, string | number | undefined>>): Headers {
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  return new Headers(kept)
}
