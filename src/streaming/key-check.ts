import type { Log } from "../core/log.ts"
import type { Client } from "./client.ts"

/** Tells which of these API keys are no longer in force. */
export type FindDeadKeys = (keyIds: readonly string[]) => Promise<readonly string[]>

/** Looks once at the keys of all clients, and hands on those whose key is revoked or expired. */
export type CheckKeys = (clients: Iterable<Client>, onDead: (client: Client) => void) => void

/** Makes the check. Where the database does not answer nobody is handed on, and no second check piles up. */
export function createKeyCheck(findDeadKeys: FindDeadKeys, log: Log): CheckKeys {
  let underWay = false

  async function check(clients: Iterable<Client>, onDead: (client: Client) => void): Promise<void> {
    const asked = [...clients].filter((client) => !client.closed)
    const dead = new Set(await findDeadKeys([...new Set(asked.map(({ keyId }) => keyId))]))
    for (const client of asked) if (!client.closed && dead.has(client.keyId)) onDead(client)
  }

  return (clients, onDead) => {
    if (underWay) return
    underWay = true
    check(clients, onDead)
      .catch((error: unknown) => log.warn({ err: error }, "the keys of open streams could not be checked"))
      .finally(() => (underWay = false))
  }
}
