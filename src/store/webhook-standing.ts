import type { Db } from "./database.ts"

/** How a webhook subscription goes, see schemas/views/webhook_standing.sql. */
export interface WebhookStanding {
  subscription: string
  status: string
  /** Positions of the log that it has not read yet. */
  lag: number
  lagSeconds: number
  retrying: number
  held: number
  dead: number
  /** Attempts that failed since the last success. */
  failures: number
  failingSince: Date | null
  restsUntil: Date | null
}

/** The webhook subscriptions of the tenant whose rows `db` sees, by name, `limit` at most. */
export async function webhookStandings(db: Db, limit: number): Promise<WebhookStanding[]> {
  const { rows } = await db.query<WebhookStanding>(
    `select subscription, status, lag, lag_seconds as "lagSeconds", retrying, held, dead, failures,
       failing_since as "failingSince", rests_until as "restsUntil"
     from webhook_standing order by subscription limit $1`,
    [limit],
  )
  return rows
}
