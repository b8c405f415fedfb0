import type { Pool } from "pg"
import type { Clock } from "../core/clock.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import type { Platform } from "../core/platform.ts"
import type { ConnectPlan, ConnectStep, Connector } from "../core/remote.ts"
import type { SourceAdmin, SourceRef, SourceView } from "../core/source-admin.ts"
import { defaultTenant } from "../core/source.ts"
import { checkCredential, checkName, platformNamed } from "./check-source.ts"
import { generateSecret } from "./generate-secret.ts"
import type { HeldSource } from "./held-source.ts"
import type { Keyring } from "./keyring.ts"
import { webhookPath } from "./show-source.ts"
import { credentialFor, newestSecret, openStored, type EnvironmentSecrets } from "./stored-source.ts"

/** What a source is to be connected to. */
export interface ConnectionRequest extends SourceRef {
  /** Public address of the hub. */
  url: string
  /** Values of the connector's own options. */
  options: Readonly<Record<string, string>>
  /** To be kept with the source; without it, the one it has, or the environment's. */
  credential?: string | undefined
}

export interface ConnectionServices {
  pool: Pool
  platforms: readonly Platform[]
  keyring: Keyring
  admin: SourceAdmin
  environment: EnvironmentSecrets & { apiUrls: ReadonlyMap<string, string> }
  clock: Clock
  log: Log
  signal: AbortSignal
}

/** What there is to do, here and at the provider. */
export interface Connection {
  webhookUrl: string
  steps: readonly ConnectStep[]
  /** Carries the steps out; repeated, it finds everything done. */
  apply(): Promise<Connected>
}

/** What came of it. */
export interface Connected {
  source: SourceView
  /** Something to hand on as it is: Slack's manifest. */
  text: string | null
  /** What the operator has yet to do, in a sentence. */
  advice: string | null
}

const overlapSeconds = 86_400

/** The connector of a platform. Throws `bad_request` where its webhooks are set up by hand. */
export async function connectorOf(platform: Platform): Promise<Connector> {
  const connector = (await platform.calls?.load())?.connector
  if (connector !== undefined) return connector
  throw new SignalboxError(
    "bad_request",
    `${platform.name} cannot be connected by a command: make the source with sources add, and set its webhook up by hand`,
  )
}

/** Looks at what is there, here and at the provider, changes nothing, and says what would be done. */
export async function planConnection(
  services: ConnectionServices,
  request: ConnectionRequest,
): Promise<Connection> {
  const { pool, platforms, keyring, admin, environment, clock, log, signal } = services
  const platform = platformNamed(platforms, request.platform)
  const connector = await connectorOf(platform)
  checkName(request.name)
  const webhookUrl = addressOf(request)
  const held = await openStored(pool, keyring, clock, { ...request, tenant: null })
  const tenant = held?.row.tenant ?? request.tenant ?? defaultTenant
  if (request.tenant !== null && tenant !== request.tenant) {
    throw new SignalboxError("conflict", `${request.platform}/${request.name} belongs to tenant ${tenant}`)
  }
  const ref: SourceRef = { tenant, platform: platform.name, name: request.name }
  const secret = chooseSecret(held, platform, environment)
  const credential = chooseCredential(held, { ...ref, tenant }, request.credential, connector, services)
  const plan = await connector.plan({
    access: {
      apiUrl: environment.apiUrls.get(platform.name) ?? null,
      credential: credential.value ?? "",
      settings: held?.row.settings ?? {},
      clock,
      signal,
      log,
    },
    source: request.name,
    webhookUrl,
    secret: secret.value,
    options: request.options,
  })

  /** The source and its secret come first: the provider may send at once. */
  async function apply(): Promise<Connected> {
    const credentialToKeep = credential.isNew ? (credential.value ?? undefined) : undefined
    let advice: string | null = null
    if (held === undefined) {
      const made = await admin.create({
        ...ref,
        tenant,
        secret: secret.value,
        credential: credentialToKeep,
      })
      advice = made.advice
    } else {
      if (secret.isNew && secret.value !== null) {
        await admin.rotate(ref, { secret: secret.value, overlapSeconds })
      }
      if (credentialToKeep !== undefined) await admin.edit(ref, { credential: credentialToKeep })
    }
    const result = await plan.apply()
    if (result.secret !== undefined && result.secret !== secret.value) {
      await admin.rotate(ref, { secret: result.secret, overlapSeconds })
      advice = null
    }
    const source = await admin.edit(ref, { settings: result.settings })
    return { source, text: result.text ?? null, advice }
  }

  return { webhookUrl, steps: stepsOf(ref, held, secret, credential, plan), apply: once(apply) }
}

interface Choice {
  value: string | null
  /** Whether it is not kept with the source yet. */
  isNew: boolean
}

function chooseSecret(
  held: HeldSource | undefined,
  platform: Platform,
  environment: EnvironmentSecrets,
): Choice {
  const present = held === undefined ? null : newestSecret(held, environment)
  if (present !== null) return { value: present.value, isNew: false }
  const shut = held?.shut.find(({ secret }) => secret.purpose === "signing")
  if (shut !== undefined) throw new SignalboxError("configuration", `the source's secret ${shut.why}`)
  const sender = held?.row.sender ?? undefined
  const isTheirs = (platform.secretOrigin?.(sender) ?? null) !== null
  const value = isTheirs ? null : generateSecret(platform, sender)
  return { value, isNew: value !== null }
}

function chooseCredential(
  held: HeldSource | undefined,
  ref: { tenant: string; platform: string },
  given: string | undefined,
  connector: Connector,
  { environment, platforms }: ConnectionServices,
): Choice {
  if (given !== undefined) {
    checkCredential(given)
    return { value: given, isNew: given !== held?.credential?.value }
  }
  const value = credentialFor(held, ref, environment)
  if (value !== null || !connector.needsCredential) return { value, isNew: false }
  const shut = held?.shut.find(({ secret }) => secret.purpose === "credential")
  if (shut !== undefined) throw new SignalboxError("configuration", `the source's credential ${shut.why}`)
  const variable = platformNamed(platforms, ref.platform).calls?.credentialVariable
  throw new SignalboxError(
    "configuration",
    `a token for ${ref.platform} is needed: name the variable that holds it with --token-env${ref.tenant === defaultTenant ? `, or set ${variable}` : ""}`,
  )
}

function stepsOf(
  { platform, name }: SourceRef,
  held: HeldSource | undefined,
  secret: Choice,
  credential: Choice,
  plan: ConnectPlan,
): ConnectStep[] {
  const own: ConnectStep[] = [
    { action: held === undefined ? "create" : "keep", what: `the source ${platform}/${name}` },
  ]
  if (secret.isNew) own.push({ action: "create", what: "a signing secret, sealed in the database" })
  if (credential.isNew) {
    const action = held?.credential === undefined ? "create" : "update"
    own.push({ action, what: "the credential, sealed in the database" })
  }
  return [...own, ...plan.steps]
}

function addressOf({ url, platform, name }: ConnectionRequest): string {
  const base = URL.parse(url)
  if (base === null || (base.protocol !== "https:" && base.protocol !== "http:")) {
    throw new SignalboxError("bad_request", "--url must be the hub's public address: https://hub.example")
  }
  return `${base.origin}${base.pathname.replace(/\/+$/, "")}${webhookPath(platform, name)}`
}

function once(apply: () => Promise<Connected>): () => Promise<Connected> {
  let applied: Promise<Connected> | undefined
  return () => (applied ??= apply())
}
