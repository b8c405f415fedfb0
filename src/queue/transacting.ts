import type { QueryConfig } from "pg"
import type { Db as BossDb } from "pg-boss"
import type { Db } from "../store/database.ts"

const names = new Map<string, string>()

const maxNames = 200

/**
 * Lets pg-boss run its statements on a connection of ours, inside whatever transaction is open there.
 * Its texts are the same each time, so each is named and a connection parses and plans it once.
 */
export function transacting(db: Db): BossDb {
  return { executeSql: (text, values = []) => db.query(statementOf(text, values)) }
}

/** Lets pg-boss write down what it would run, for a transaction that sends its statements itself. */
export function recording(statements: QueryConfig[]): BossDb {
  return {
    executeSql: (text, values = []) => {
      statements.push(statementOf(text, values))
      return Promise.resolve({ rows: [] })
    },
  }
}

function statementOf(text: string, values: unknown[]): QueryConfig {
  const name = nameOf(text)
  return name === undefined ? { text, values } : { name, text, values }
}

/** Undefined for several statements in one text, which cannot be prepared, and when names run out. */
function nameOf(text: string): string | undefined {
  if (text.includes(";")) return undefined
  let name = names.get(text)
  if (name === undefined && names.size < maxNames) {
    name = `pgboss_${names.size}`
    names.set(text, name)
  }
  return name
}
