import { expect, test } from "vitest"
import { checkSessions, openDatabase } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"

const { url } = await testDatabase()

test.each(["-c work_mem=8MB", "-c role=none -c synchronous_commit=off", "-csearch_path=public"])(
  "what a URL's own options say (%s) never replaces the role of a pool",
  async (options) => {
    const target = new URL(url)
    target.searchParams.set("options", options)
    const database = openDatabase({ url: target.href, maxWork: 1, maxRead: 1 })
    try {
      await checkSessions(database)
      const { rows } = await database.read.query("select current_user as role")
      expect(rows).toEqual([{ role: "signalbox_reader" }])
      await expect(
        database.read.query("insert into sources (platform, name) values ('a', 'b')"),
      ).rejects.toThrow(/permission denied/)
    } finally {
      await database.close()
    }
  },
)

test("options of the URL that are not ours are in force", async () => {
  const target = new URL(url)
  target.searchParams.set("options", "-c work_mem=8MB")
  const database = openDatabase({ url: target.href, maxWork: 1, maxRead: 1 })
  const { rows } = await database.work.query("show work_mem")
  await database.close()
  expect(rows).toEqual([{ work_mem: "8MB" }])
})

test("sessions that are not what they were asked to be are refused in one line", async () => {
  const database = openDatabase({ url, maxWork: 1, maxRead: 1 })
  try {
    const swapped = checkSessions({ work: database.read, read: database.work })
    await expect(swapped).rejects.toMatchObject({ code: "configuration" })
  } finally {
    await database.close()
  }
})
