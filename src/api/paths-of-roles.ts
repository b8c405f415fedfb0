import { SignalboxError } from "../core/errors.ts"

/** Roles that serve something over HTTP; `worker` serves nothing. */
export type ServingRole = "ingest" | "stream" | "api"

/** Which roles serve a path, by the first row that fits; docs/many-machines.md has the same in words. */
const paths: readonly { method?: string; path: RegExp; roles: readonly ServingRole[] }[] = [
  { method: "POST", path: /^\/webhooks\/[^/]+(\/[^/]+)?$/, roles: ["ingest"] },
  { method: "POST", path: /^\/api\/v1\/(events|deployments)$/, roles: ["ingest"] },
  { path: /^\/api\/v1\/events\/stream$/, roles: ["stream"] },
  { path: /^\/api\/v1\/streams\/[^/]+\/(sse|ws)$/, roles: ["stream"] },
  { path: /^\/api\/v1\/consumer-groups\/[^/]+\/members(\/|$)/, roles: ["stream", "api"] },
  { path: /^\/api\/v1\/metrics\/nats$/, roles: ["ingest", "stream", "api"] }, // each of its own connection
  {
    path: /^\/api\/v1\/(events|entities|links|streams|subscriptions|consumers|consumer-groups|connections|sources|completeness|dead-letters|replays|keys|metrics)(\/|$)/,
    roles: ["api"],
  },
]

/** What is said of a path that other processes serve, and one with these roles does not; undefined for any other. */
export function servedElsewhere(
  method: string,
  path: string,
  own: ReadonlySet<ServingRole>,
): SignalboxError | undefined {
  const found = paths.find((row) => (row.method ?? method) === method && row.path.test(path))
  if (found === undefined || found.roles.some((role) => own.has(role))) return undefined
  const roles = found.roles.join(" or ")
  return new SignalboxError(
    "not_found",
    `${method} ${path} is for processes with the role ${roles}, which this one does not have (SIGNALBOX_ROLES)`,
  )
}
