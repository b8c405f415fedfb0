import type { Db } from "./database.ts"

const longer = new WeakMap<object, number>()

/**
 * Gives each statement of the caller's transaction that follows up to `ms`: what is rightly long is not to be taken
 * for a server that has vanished.
 */
export async function allowLonger(db: Db, ms: number): Promise<void> {
  await db.query(`set local statement_timeout = ${ms}`)
  longer.set(db, ms + answerMs)
}

/** Milliseconds that a server has for saying that a statement's time is up. */
export const answerMs = 5_000

/** How long a statement of this connection may go without an answer, `usualMs` where nobody has asked for more. */
export function longestMs(client: object, usualMs: number): number {
  return Math.max(usualMs, longer.get(client) ?? 0)
}

/** To be called where a transaction is over. */
export function allowAsUsual(client: object): void {
  longer.delete(client)
}
