import type { Pool } from "pg"
import type { Clock } from "../core/clock.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Platform } from "../core/platform.ts"
import type { Issued, SourceAdmin, SourceEdit, SourceRef, SourceView } from "../core/source-admin.ts"
import type { Sources } from "../core/source.ts"
import { uuidv7 } from "../core/uuid.ts"
import { transaction, type Db } from "../store/database.ts"
import { orUnavailable } from "../store/failure.ts"
import {
  deleteCredentials,
  expireSecrets,
  insertSecret,
  listSecrets,
  sealedSecrets,
  type SecretPurpose,
  type SecretRow,
} from "../store/source-secrets.ts"
import {
  findSource,
  insertSource,
  listSources,
  lockSource,
  updateSource,
  type SourceRow,
} from "../store/sources.ts"
import { checkCredential, checkName, checkSecret, checkSender, platformNamed } from "./check-source.ts"
import type { EncryptionKey } from "./encryption-key.ts"
import { generateSecret } from "./generate-secret.ts"
import type { Keyring } from "./keyring.ts"
import { openSecret, sealSecret } from "./seal.ts"
import { showSecret, showSource } from "./show-source.ts"

export interface SourceAdminOptions {
  pool: Pool
  platforms: readonly Platform[]
  keyring: Keyring
  clock: Clock
  /** The sources that run in this process, where they do. */
  running?: Pick<Sources, "find">
  /** Told after every change. */
  onChange?: () => Promise<void>
}

/** Each secret in force costs a hash for every request that is not believed. */
const maxInForce = 10

/** Makes the administration of sources, straight in the database: running hubs hear of every change. */
export function createSourceAdmin(options: SourceAdminOptions): SourceAdmin {
  const { pool, platforms, keyring, clock, running, onChange = async () => {} } = options

  async function list(...[tenant, page]: Parameters<SourceAdmin["list"]>): Promise<SourceView[]> {
    const rows = await orUnavailable(listSources(pool, tenant, page))
    const secrets = await orUnavailable(
      listSecrets(
        pool,
        rows.map(({ id }) => id),
      ),
    )
    const bySource = Map.groupBy(secrets, ({ sourceId }) => sourceId)
    return rows.map((row) => show(row, bySource.get(row.id) ?? []))
  }

  function show(row: SourceRow, secrets: readonly SecretRow[]): SourceView {
    return showSource(row, secrets, running?.find(row.platform, row.name), clock())
  }

  async function showAnew(row: SourceRow): Promise<SourceView> {
    await onChange()
    return show(row, await orUnavailable(listSecrets(pool, [row.id])))
  }

  async function rowOf({ tenant, platform, name }: SourceRef): Promise<SourceRow> {
    const row = await orUnavailable(findSource(pool, tenant, platform, name))
    if (row === undefined) throw noSuchSource(platform, name)
    return row
  }

  async function create(source: Parameters<SourceAdmin["create"]>[0]): Promise<Issued> {
    const { tenant, name, sender = null, settings = {}, credential } = source
    const platform = platformNamed(platforms, source.platform)
    checkName(name)
    checkSender(platform, sender)
    if (credential !== undefined) checkCredential(credential)
    const { value, generated } = choose(platform, sender, source.secret)
    const key = value === null && credential === undefined ? null : await keyring.sealing()
    const row = await transaction(pool, async (db) => {
      const made = await insertSource(db, { tenant, platform: platform.name, name, sender, settings })
      if (made === undefined) {
        throw new SignalboxError(
          "conflict",
          `${platform.name}/${name} exists: rotate gives it another secret, or choose another name`,
        )
      }
      if (key !== null && value !== null) await store(db, made, "signing", value, key)
      if (key !== null && credential !== undefined) await store(db, made, "credential", credential, key)
      return made
    })
    return {
      source: await showAnew(row),
      secret: generated,
      advice:
        value === null
          ? ["it is off until it has a secret: rotate gives it one", originOf(platform, sender) ?? []]
              .flat()
              .join(". ")
          : null,
    }
  }

  async function edit(ref: SourceRef, { credential, ...change }: SourceEdit): Promise<SourceView> {
    const row = await rowOf(ref)
    const platform = platformNamed(platforms, row.platform)
    if (change.sender !== undefined && change.sender !== row.sender) {
      checkSender(platform, change.sender)
      await checkSecretsFit(row, platform, change.sender)
    }
    if (typeof credential === "string") checkCredential(credential)
    const key = typeof credential === "string" ? await keyring.sealing() : null
    const changed = await transaction(pool, async (db) => {
      if ((await updateSource(db, row.id, change)) === undefined) throw noSuchSource(row.platform, row.name)
      const stored =
        key !== null && typeof credential === "string"
          ? await store(db, row, "credential", credential, key)
          : null
      if (credential !== undefined) await deleteCredentials(db, row.id, stored?.id ?? null)
      return lockSource(db, row.id)
    })
    return showAnew(changed ?? row)
  }

  /** A secret in force that the new kind of sender cannot have would refuse whatever it signs. */
  async function checkSecretsFit(row: SourceRow, platform: Platform, sender: string | null): Promise<void> {
    const keys = await keyring.keys()
    for (const secret of await orUnavailable(sealedSecrets(pool, [row.id], clock()))) {
      const opened = secret.purpose === "signing" ? openSecret(secret, secret, keys) : null
      if (opened?.ok === true) checkSecret(platform, opened.value, sender)
    }
  }

  async function rotate(...[ref, rotation]: Parameters<SourceAdmin["rotate"]>): Promise<Issued> {
    const row = await rowOf(ref)
    const platform = platformNamed(platforms, row.platform)
    const { value, generated } = choose(platform, row.sender, rotation.secret)
    if (value === null) {
      throw new SignalboxError(
        "bad_request",
        `give the secret: ${originOf(platform, row.sender) ?? "no form of secret that can be made here is taken"}`,
      )
    }
    const key = await keyring.sealing()
    const now = clock()
    const changed = await transaction(pool, async (db) => {
      if ((await lockSource(db, row.id)) === undefined) throw noSuchSource(row.platform, row.name)
      const { id } = await store(db, row, "signing", value, key)
      const at = new Date(now.getTime() + rotation.overlapSeconds * 1000)
      const ending = await expireSecrets(db, { sourceId: row.id, except: id, at, now })
      if (rotation.overlapSeconds > 0 && ending.length >= maxInForce) {
        throw new SignalboxError(
          "conflict",
          `${maxInForce} secrets are in force already: let some end, or rotate without an overlap`,
        )
      }
      return lockSource(db, row.id)
    })
    const source = await showAnew(changed ?? row)
    return { source, secret: generated, advice: adviceAfter(source, platform) }
  }

  return {
    list,
    find: async (ref) => {
      const row = await rowOf(ref)
      return show(row, await orUnavailable(listSecrets(pool, [row.id])))
    },
    create,
    edit,
    rotate,
    secrets: async (ref) => {
      const { id } = await rowOf(ref)
      return (await orUnavailable(listSecrets(pool, [id]))).map(showSecret)
    },
  }
}

/** The secret that a source is to have, and whether it was made here. */
function choose(
  platform: Platform,
  sender: string | null,
  given: string | null | undefined,
): { value: string | null; generated: string | null } {
  if (typeof given === "string") checkSecret(platform, given, sender)
  if (given !== undefined) return { value: given, generated: null }
  if (originOf(platform, sender) !== null) return { value: null, generated: null }
  const made = generateSecret(platform, sender ?? undefined)
  return { value: made, generated: made }
}

function originOf(platform: Platform, sender: string | null): string | null {
  return platform.secretOrigin?.(sender ?? undefined) ?? null
}

/** What the environment holds does not end by itself. */
function adviceAfter({ secrets }: SourceView, { secretVariable }: Platform): string | null {
  const standing = secrets.filter(({ createdAt }) => createdAt === null).map(({ id }) => id)
  if (standing.length === 0) return null
  return `${standing.join(", ")} stay in force until ${secretVariable ?? "the hub's options"} no longer hold them`
}

async function store(
  db: Db,
  { id: sourceId }: SourceRow,
  purpose: SecretPurpose,
  value: string,
  key: EncryptionKey,
): Promise<SecretRow> {
  const place = { id: uuidv7(), sourceId, purpose }
  return insertSecret(db, { ...place, ...sealSecret(value, place, key) })
}

function noSuchSource(platform: string, name: string): SignalboxError {
  return new SignalboxError("not_found", `there is no source ${platform}/${name}`)
}
