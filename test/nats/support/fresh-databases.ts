import type { Database } from "../../../src/store/database.ts"
import { testDatabase } from "../../support/database.ts"
import { withoutNats } from "./nats-server.ts"

/**
 * So many databases for a file's tests, made before them: each call of the answer gives another. None is
 * made where the tests cannot run.
 */
export async function freshDatabases(count: number): Promise<() => Database> {
  const left: Database[] = []
  for (let n = withoutNats === undefined ? count : 0; n > 0; n--) left.push(await testDatabase())
  return () => {
    const next = left.pop()
    if (next === undefined) throw new Error("the file has more tests than databases")
    return next
  }
}
