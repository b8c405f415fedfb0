import { expect, test } from "vitest"
import { reconcile, startWorldHub } from "./support/hub-of-world.ts"
import { ledgerOf } from "./support/ledger-of.ts"
import type { Remote } from "../../src/core/remote.ts"

const hub = await startWorldHub()

test("what a sweep has to leave out is the ledger's problem until it need not be left out any more", async () => {
  const { source, target } = await hub.newWorld()
  let why: string | null = "hook 9 is hidden"
  const remote: Remote = {
    recovery: {
      async *sweep(access) {
        if (why !== null) access.unchecked?.(why)
        yield { findings: [], cursor: "1", progress: "all" }
      },
    },
  }
  const calls = { ...target.platform.calls!, load: () => Promise.resolve(remote) }
  const blind = { ...target, platform: { ...target.platform, calls } }
  expect(await reconcile(hub, blind)).toMatchObject({ status: "complete" })
  expect(await ledgerOf(hub.database, source)).toMatchObject({ problem: "hook 9 is hidden" })
  why = null
  expect(await reconcile(hub, blind)).toMatchObject({ status: "complete" })
  expect(await ledgerOf(hub.database, source)).toMatchObject({ problem: null })
})
