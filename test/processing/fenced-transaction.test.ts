import { expect, onTestFinished, test } from "vitest"
import { fencedTransaction, unfenced } from "../../src/processing/fenced-transaction.ts"
import { createPool, type Db } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"

const database = await testDatabase()

function pipelining() {
  const pool = createPool(database.url, { max: 1, pipeline: true })
  onTestFinished(() => pool.end())
  return pool
}

async function add(db: Db, tag: string): Promise<void> {
  await db.query("insert into written values ($1)", [tag])
}

async function addWhatIsNoJson(db: Db): Promise<void> {
  await add(db, JSON.stringify({ n: 1n }))
}

async function tags(): Promise<string[]> {
  const { rows } = await database.work.query<{ tag: string }>("select tag from written")
  return rows.map(({ tag }) => tag)
}

test("nothing is committed where the last statements cannot even be put together", async () => {
  const pool = pipelining()
  await pool.query("create table written (tag text)")
  await pool.query("grant all on written to signalbox_worker")
  const refused = fencedTransaction(
    pool,
    unfenced,
    (db) => add(db, "first"),
    async (db) => {
      await Promise.all([add(db, "last"), addWhatIsNoJson(db)])
    },
  )
  await expect(refused).rejects.toThrow(TypeError)
  expect(await tags()).toEqual([])

  await fencedTransaction(
    pool,
    unfenced,
    (db) => add(db, "first"),
    (db) => add(db, "last"),
  )
  expect(await tags()).toEqual(["first", "last"])
})
