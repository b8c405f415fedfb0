import { z } from "zod"
import type { Fields } from "../../../core/fields.ts"
import type { RecoveryAccess, SweepPage, SweepWindow } from "../../../core/remote.ts"
import { timeOrNull } from "../../../core/time.ts"
import { linearApi } from "./client.ts"
import { type Pass, passes } from "./models.ts"
import { recordOf } from "./record.ts"
import { type Scope, scopeOf } from "./scope.ts"

/** Within Linear's 10,000 points of complexity a query, of which an issue takes about 50. */
const pageSize = 50

const positionForm = z.object({
  /** Name of the pass; null at the end of all. */
  pass: z.string().nullable(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  after: z.string().nullable(),
})
type Position = z.infer<typeof positionForm>

const answerForm = z.object({
  organization: z.object({ id: z.string() }),
  page: z.object({
    nodes: z.array(z.looseObject({ id: z.string() })),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
})
type Page = z.infer<typeof answerForm>["page"]

/** Lists all that was created, updated and removed within the window, one request a page. */
export async function* sweep(access: RecoveryAccess, window: SweepWindow): AsyncIterable<SweepPage> {
  const api = linearApi(access)
  const scope = scopeOf(access.settings)
  const listed = passes.filter(({ model }) => scope.types === null || scope.types.has(model.type))
  let position = positionOf(window, listed)
  for (;;) {
    const pass = listed.find(({ name }) => name === position.pass)
    if (pass === undefined) return
    const { organization, page } = await api.query(
      documentOf(pass),
      { filter: filterOf(pass, scope, position), after: position.after },
      answerForm,
    )
    const progress = `${pass.model.type} ${pass.action}: ${page.nodes.length} of ${position.from} to ${position.to}`
    position = following(pass, position, page) ?? startOf(window, listed[listed.indexOf(pass) + 1])
    yield {
      findings: page.nodes
        .filter((node) => scope.holds(pass.model.teamOf?.(node)))
        .flatMap((node) => recordOf(pass, node, organization.id) ?? []),
      cursor: JSON.stringify(position),
      progress,
    }
  }
}

function startOf({ since, until }: SweepWindow, pass: Pass | undefined): Position {
  return { pass: pass?.name ?? null, from: since.toISOString(), to: until.toISOString(), after: null }
}

/** Where to go on; at the beginning for a cursor that says nothing to this version. */
function positionOf(window: SweepWindow, listed: readonly Pass[]): Position {
  const kept = positionForm.safeParse(window.cursor === null ? null : parseOrNull(window.cursor))
  const known =
    kept.success && (kept.data.pass === null || listed.some(({ name }) => name === kept.data.pass))
  return known ? kept.data : startOf(window, listed[0])
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/**
 * The next page goes on from the time that this one has reached. Linear's cursor is a thing of the page,
 * and a thing that is updated meanwhile takes its place in the order along; so the cursor serves only
 * where a whole page is of one time, or is not in the order of the time that is listed by.
 */
function following(pass: Pass, position: Position, { nodes, pageInfo }: Page): Position | null {
  if (!pageInfo.hasNextPage || pageInfo.endCursor === null) return null
  const first = timeOrNull(nodes[0]?.[pass.time])
  const last = timeOrNull(nodes.at(-1)?.[pass.time])
  if (pass.time === pass.order && first !== null && last !== null) {
    if (last < first) return { ...position, to: last.toISOString(), after: null }
    if (last > first) return { ...position, from: last.toISOString(), after: null }
  }
  return { ...position, after: pageInfo.endCursor }
}

function documentOf({ name, model, order }: Pass): string {
  const { connection, filterType, selection } = model
  return `query ${name}($filter: ${filterType}, $after: String) {
    organization { id }
    page: ${connection}(filter: $filter, after: $after, first: ${pageSize}, orderBy: ${order}, includeArchived: true) {
      nodes { ${selection} }
      pageInfo { hasNextPage endCursor }
    }
  }`
}

function filterOf({ time, model }: Pass, { team }: Scope, { from, to }: Position): Fields {
  return { [time]: { gte: from, lte: to }, ...model.filter(team) }
}
