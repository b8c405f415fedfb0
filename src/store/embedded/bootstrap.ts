import { DatabaseError, type Client } from "pg"
import { SignalboxError } from "../../core/errors.ts"
import { serverUrl, type Address } from "./address.ts"
import { connect } from "./claims.ts"

/** The user that signalbox connects as: owner of its database, and no superuser. */
export const ownerName = "signalbox"

/** The database of a new cluster. */
export const databaseName = "signalbox"

/** Makes the owner and the database where they are missing. */
export async function bootstrapDatabase(address: Address, password: string, dataDir: string): Promise<void> {
  const client = await connect(serverUrl(address, "postgres", password, "postgres")).catch(
    (cause: unknown) => {
      if (!(cause instanceof DatabaseError) || cause.code !== "28P01") throw cause
      throw new SignalboxError(
        "configuration",
        `the password in ${dataDir}/postgres.password is not that of the cluster: restore the file, or set SIGNALBOX_DATA_DIR to another folder`,
        { cause },
      )
    },
  )
  try {
    const name = client.escapeIdentifier(ownerName)
    const secret = client.escapeLiteral(password)
    await client.query("set log_min_error_statement = panic") // no password in the server's log
    await unlessPresent(client, `create role ${name} login createdb createrole password ${secret}`)
    await client.query(`grant pg_monitor, pg_checkpoint to ${name}`)
    await unlessPresent(client, `create database ${client.escapeIdentifier(databaseName)} owner ${name}`)
  } finally {
    await client.end()
  }
}

const present = new Set(["42710", "42P04", "23505"]) // another starter has made it, maybe this instant

async function unlessPresent(client: Client, sql: string): Promise<void> {
  await client.query(sql).catch((error: unknown) => {
    if (!(error instanceof DatabaseError) || !present.has(error.code ?? "")) throw error
  })
}
