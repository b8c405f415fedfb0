import type { Db as BossConnection } from "pg-boss"
import type { Db } from "../store/database.ts"

const names = new Map<string, string>()

/**
 * Lets pg-boss run its statement on a connection of ours, inside whatever transaction is open there.
 * Its texts are the same each time, so each is named and a connection parses and plans it once.
 */
export function transacting(db: Db): BossConnection {
  return { executeSql: (text, values = []) => db.query({ name: nameOf(text), text, values }) }
}

function nameOf(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = `pgboss_${names.size}`
    names.set(text, name)
  }
  return name
}
