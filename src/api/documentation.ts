import { Hono, type Context } from "hono"
import type { RouteDescription } from "../core/route-description.ts"
import { codeOnce, type Coded } from "./compress.ts"
import { docsPage } from "./docs-page/page.ts"
import { styleHash } from "./docs-page/style.ts"
import { describeApi, type ApiDocument } from "./openapi/document.ts"

/** What the documentation tells of. */
export interface Documented {
  routes: readonly RouteDescription[]
  /** Version of the hub. */
  version: string
}

const cached = "public, max-age=300"

// The page has no script and asks for nothing: it works offline, and whatever got into it could do nothing.
const pageHeaders = {
  "content-type": "text/html; charset=UTF-8",
  "cache-control": cached,
  "content-security-policy": `default-src 'none'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
}

/**
 * `/openapi.json`: what the hub serves, as OpenAPI 3.1; `/docs`: the same for people. Both are for everybody, since
 * they hold what the source does, and are made and compressed once.
 */
export function documentationRoutes({ routes, version }: Documented): Hono {
  const app = new Hono()
  let document: ApiDocument | undefined
  const described = (): ApiDocument => (document ??= describeApi(routes, version))
  const json = codeOnce(async () => JSON.stringify(described()))
  const page = codeOnce(async () => docsPage(described()))

  app.get("/openapi.json", async (c) => {
    return answer(c, await json(c.req.header("accept-encoding")), {
      "content-type": "application/json",
      // Tools that run in a browser read it from wherever they are.
      "access-control-allow-origin": "*",
      "cache-control": cached,
    })
  })
  app.get("/docs", async (c) => answer(c, await page(c.req.header("accept-encoding")), pageHeaders))
  return app
}

function answer(c: Context, { body, coding }: Coded, headers: Readonly<Record<string, string>>): Response {
  c.header("vary", "accept-encoding", { append: true })
  if (coding !== null) c.header("content-encoding", coding)
  return c.body(body, 200, { ...headers, "content-length": String(body.length) })
}
