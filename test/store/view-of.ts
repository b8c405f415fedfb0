import type { StoryRequest } from "../../fixtures/correlation/request.ts"
import type { Database } from "../../src/store/database.ts"
import { readView, type Row } from "./read-view.ts"
import type { TakeIn } from "./take-in.ts"

/** What a view shows of requests that are taken in by a tenant of their own: by default one made up for them. */
export type ViewOf = (
  view: string,
  columns: string,
  order: string,
  requests: readonly StoryRequest[],
  tenant?: string,
) => Promise<Row[]>

/** Makes the question, of a database and the way into it. */
export function createViewOf(database: Database, takeIn: TakeIn): ViewOf {
  let tenants = 0
  return async (view, columns, order, requests, tenant = `tenant${++tenants}`) => {
    await takeIn(tenant, requests)
    return readView(database, { view, columns, order, tenant })
  }
}
