import type { Log } from "../core/log.ts"
import type { Client } from "./client.ts"
import { endings, streamRemoved, type Ending } from "./ending.ts"
import type { StreamDefinitions } from "./stream-definitions.ts"

/** Looks whether the streams that clients read are still what they were; once more where it is called meanwhile. */
export type CheckDefinitions = () => void

export interface DefinitionCheckOptions {
  clients: ReadonlySet<Client>
  definitions: Pick<StreamDefinitions, "changesOf">
  /** Called with each client whose streams are others now. */
  onChanged: (client: Client, ending: Ending) => void
  log: Log
}

/** Makes the check. Where the database does not answer nobody is ended, and the next check finds out. */
export function createDefinitionCheck(options: DefinitionCheckOptions): CheckDefinitions {
  const { clients, definitions, onChanged, log } = options
  let underWay = false
  let again = false

  async function check(): Promise<void> {
    const asked = Map.groupBy(
      [...clients].filter(({ closed }) => !closed),
      ({ held }) => held,
    )
    if (asked.size === 0) return
    for (const [held, change] of await definitions.changesOf([...asked.keys()])) {
      const ending = change.kind === "removed" ? streamRemoved(change.name) : endings.changed
      for (const client of asked.get(held) ?? []) if (!client.closed) onChanged(client, ending)
    }
  }

  async function run(): Promise<void> {
    underWay = true
    do {
      again = false
      await check().catch((error: unknown) =>
        log.warn({ err: error }, "the definitions of open streams could not be checked"),
      )
    } while (again)
    underWay = false
  }

  return () => {
    again = true
    if (!underWay) void run()
  }
}
