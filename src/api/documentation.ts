import { Hono } from "hono"
import type { RouteDescription } from "../core/route-description.ts"
import { compressLarge } from "./compress.ts"
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
  "cache-control": cached,
  "content-security-policy": `default-src 'none'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
}

/**
 * `/openapi.json`: what the hub serves, as OpenAPI 3.1; `/docs`: the same for people. Both are for everybody, since
 * they hold what the source does, and are made once.
 */
export function documentationRoutes({ routes, version }: Documented): Hono {
  const app = new Hono()
  let document: ApiDocument | undefined
  let json: string | undefined
  let page: string | undefined
  const described = (): ApiDocument => (document ??= describeApi(routes, version))

  app.get("/openapi.json", compressLarge(), (c) => {
    json ??= JSON.stringify(described())
    // Tools that run in a browser read it from wherever they are.
    return c.body(json, 200, {
      "content-type": "application/json",
      "access-control-allow-origin": "*",
      "cache-control": cached,
    })
  })
  app.get("/docs", async (c) => {
    page ??= await docsPage(described())
    return c.html(page, 200, pageHeaders)
  })
  return app
}
