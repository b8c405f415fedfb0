import { Hono } from "hono"
import { z } from "zod"
import type { AuthEnv } from "../auth/middleware.ts"
import { SignalboxError } from "../core/errors.ts"
import type { AskStreams } from "../core/stream-question.ts"
import { isUuid } from "../core/uuid.ts"
import { managedTenant } from "./managed-tenant.ts"
import { pageOf, pageOfAll } from "./page-of.ts"
import { parseBody, parseQuery } from "./parse.ts"

export const announcement = z.strictObject({
  data: z.json(),
  clients: z.array(z.string().min(1).max(200)).min(1).max(100).optional(),
})

/**
 * `/api/v1/connections`: the open streams of all processes; see how they do, end one, say something to their
 * clients. Needs `admin`. Where a process does not answer in time, `unanswered` names it.
 */
export function connectionRoutes(askAll: AskStreams): Hono<AuthEnv> {
  const app = new Hono<AuthEnv>()

  app.get("/", async (c) => {
    const wanted = parseQuery(c, pageOfAll)
    const { answers, unanswered } = await askAll({ kind: "list", tenant: managedTenant(c.var.principal) })
    const { page, nextCursor } = pageOf(connectionsIn(answers), ({ id }) => String(id), wanted)
    return c.json({ connections: page, nextCursor, unanswered })
  })

  app.get("/stats", async (c) => {
    const { answers, unanswered } = await askAll({ kind: "stats", tenant: managedTenant(c.var.principal) })
    return c.json({ nodes: answers.map(({ node, answer }) => ({ node, ...objectOf(answer) })), unanswered })
  })

  app.get("/:id", async (c) => {
    const { answers, unanswered } = await askAll({ kind: "list", tenant: managedTenant(c.var.principal) })
    const found = connectionsIn(answers).find((connection) => connection["id"] === c.req.param("id"))
    if (found === undefined) throw unknown(unanswered)
    return c.json(found)
  })

  app.delete("/:id", async (c) => {
    const id = c.req.param("id")
    if (!isUuid(id)) throw unknown([])
    const { answers, unanswered } = await askAll({
      kind: "close",
      tenant: managedTenant(c.var.principal),
      id,
    })
    if (!answers.some(({ answer }) => answer === true)) throw unknown(unanswered)
    return c.body(null, 204)
  })

  app.post("/broadcast", async (c) => {
    const { data, clients } = await parseBody(c, announcement)
    const { answers, unanswered } = await askAll({
      kind: "broadcast",
      tenant: managedTenant(c.var.principal),
      names: clients ?? null,
      json: JSON.stringify(data),
    })
    const reached = answers.reduce((sum, { answer }) => sum + Number(answer), 0)
    return c.json({ reached, unanswered })
  })

  return app
}

function connectionsIn(answers: readonly { node: string; answer: unknown }[]): Record<string, unknown>[] {
  return answers.flatMap(({ node, answer }) =>
    Array.isArray(answer) ? answer.map((connection) => ({ ...objectOf(connection), node })) : [],
  )
}

function objectOf(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {}
}

function unknown(unanswered: readonly string[]): SignalboxError {
  const rest = unanswered.length === 0 ? "" : `; ${unanswered.join(", ")} did not answer`
  return new SignalboxError("not_found", `no open stream has this id${rest}`)
}
