import type { RequestHandler } from "msw"
import { setupServer } from "msw/node"
import { expect, onTestFinished } from "vitest"
import { silentLog } from "../../../src/core/log.ts"
import type { Platform } from "../../../src/core/platform.ts"
import type { LoggedRecord, RecoveryAccess, SweepPage, SweepWindow } from "../../../src/core/remote.ts"

/** The time at which everything is swept. */
export const now = new Date("2026-11-21T12:00:00.000Z")

export const minutesAgo = (minutes: number): Date => new Date(now.getTime() - minutes * 60_000)

const lastHour: SweepWindow = { since: minutesAgo(60), until: now, cursor: null }

/** Lets a world answer until the test ends; whatever is asked of another is an error. */
export function answering<World extends { handlers: RequestHandler[] }>(world: World): World {
  const saas = setupServer(...world.handlers)
  saas.listen({ onUnhandledFrame: "error" })
  onTestFinished(() => saas.close())
  return world
}

/** What a sweep is given: this API and credential, and nothing else unless told. */
export function accessOf(
  apiUrl: string,
  credential: string,
  more: Partial<RecoveryAccess> = {},
): RecoveryAccess {
  return {
    apiUrl,
    credential,
    settings: {},
    clock: () => now,
    signal: new AbortController().signal,
    log: silentLog,
    sightings: () => Promise.resolve([]),
    ...more,
  }
}

/** What a platform's sweep finds, of the last hour unless told. */
export function sweepsOf(platform: Platform) {
  async function pagesOf(access: RecoveryAccess, window: Partial<SweepWindow> = {}): Promise<SweepPage[]> {
    const { recovery } = (await platform.calls?.load()) ?? {}
    const pages: SweepPage[] = []
    for await (const page of recovery!.sweep(access, { ...lastHour, ...window })) pages.push(page)
    return pages
  }

  async function recordsOf(access: RecoveryAccess): Promise<LoggedRecord[]> {
    const pages = await pagesOf(access)
    return pages.flatMap(({ findings }) => findings.filter((finding) => finding.kind === "record"))
  }

  /** A sweep from each of the cursors finds the rest, and one from a cursor of another version everything. */
  async function expectToGoOn(access: RecoveryAccess): Promise<SweepPage[]> {
    const pages = await pagesOf(access)
    for (const [index, { cursor }] of pages.entries()) {
      const rest = await pagesOf(access, { cursor })
      expect(keysOf([...pages.slice(0, index + 1), ...rest])).toEqual(keysOf(pages))
      expect(rest).toHaveLength(pages.length - index - 1)
    }
    expect(keysOf(await pagesOf(access, { cursor: "of another version" }))).toEqual(keysOf(pages))
    return pages
  }

  return { pagesOf, recordsOf, expectToGoOn }
}

function keysOf(pages: readonly SweepPage[]): Set<string> {
  return new Set(pages.flatMap(({ findings }) => findings.map(({ key }) => key)))
}

/** The body that stands for a webhook which did not come. */
export function bodyOf({ recovered }: LoggedRecord): Buffer {
  if (recovered === null || typeof recovered === "function") throw new Error("no body")
  return recovered.body
}

/** How a platform reads a webhook, by its body alone. */
export function readingOf(platform: Platform, body: string | Buffer) {
  const payload: unknown = JSON.parse(body.toString())
  const message = { headers: {}, contentType: "application/json", payload, receivedAt: now }
  return {
    identity: platform.identify(message, Buffer.from(body)),
    normalized: platform.normalize(message),
  }
}
