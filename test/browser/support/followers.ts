import type { Page } from "playwright-core"

/** What a consumer in a page has seen. */
export interface Followed {
  positions: number[]
  gaps: { from: number; to: number }[]
  /** Connections that were opened. */
  opened: number
  /** Why the browser or the client gave up, each time. */
  givenUp: string[]
}

/** Starts the consumers of `page/followers.js` in a page. */
export async function startFollowers(
  page: Page,
  options: { hub: string; after: number; type: string },
): Promise<void> {
  await page.evaluate(`import("/followers.js").then(({ start }) => start(${JSON.stringify(options)}))`)
}

/** What they have seen so far, by name. */
export async function followersOf(page: Page): Promise<Record<string, Followed>> {
  const text: unknown = await page.evaluate("JSON.stringify(window.followers)")
  return JSON.parse(String(text)) as Record<string, Followed>
}
