import { SignalboxError } from "../../../core/errors.ts"
import { cleanText } from "../../../core/text.ts"
import { list, text } from "../read.ts"

/** What is asked for, for errors: it completes a sentence, `the webhooks of acme/api`. */
export interface Subject {
  what: string
  /** What a token must be allowed, where GitHub's own answer names more than is meant, or nothing. */
  needs?: string
}

/** An answer that is no success. */
export interface Refusal extends Subject {
  status: number
  headers: Headers
  data: unknown
}

/** What a refusal means for the person who must mend its cause; the token is never named. */
export function refusalError({ status, headers, data, what, ...asked }: Refusal): SignalboxError {
  const needs = asked.needs ?? needsOf(headers)
  const sso = /url=(https:\/\/\S+)/.exec(headers.get("x-github-sso") ?? "")?.[1]
  switch (status) {
    case 401:
      return new SignalboxError(
        "unauthenticated",
        "GitHub does not take the token: it is wrong, or has expired",
      )
    case 403:
      return new SignalboxError(
        "forbidden",
        sso === undefined
          ? `the token may not use ${what}${needs === "" ? `: ${said(data)}` : `: it needs ${needs}`}`
          : `the token may not use ${what} before single sign-on has let it in: ${sso}`,
      )
    case 404:
      return new SignalboxError(
        "not_found",
        `GitHub knows nothing of ${what}, or hides it from this token${needs === "" ? "" : `: it needs ${needs}`}`,
      )
    case 410:
      return new SignalboxError("gone", `GitHub no longer has ${what}`)
    case 422:
      return new SignalboxError("bad_request", `GitHub refuses ${what}: ${said(data)}`)
  }
  if (status >= 500) {
    return new SignalboxError("unavailable", `GitHub answered ${status} when asked for ${what}`)
  }
  return new SignalboxError("bad_request", `GitHub answered ${status} when asked for ${what}: ${said(data)}`)
}

// Classic tokens are told their scopes, fine-grained ones and apps their permissions.
function needsOf(headers: Headers): string {
  const permissions = headers.get("x-accepted-github-permissions") ?? ""
  const scopes = headers.get("x-accepted-oauth-scopes") ?? ""
  const wanted = [
    scopes === "" ? [] : [`the scope ${scopes.split(/\s*,\s*/).join(" or ")}`],
    permissions === "" ? [] : [`the permission ${permissionsText(permissions)}`],
  ].flat()
  return wanted.join(", or ")
}

// `repository_hooks=write; contents=read` or, as alternatives, `issues=read,pull_requests=read`.
function permissionsText(header: string): string {
  return header
    .split(/\s*;\s*/)
    .map((all) =>
      all
        .split(/\s*,\s*/)
        .map(permissionText)
        .join(" and "),
    )
    .join(" or ")
}

const permissionNames: Readonly<Record<string, string>> = {
  repository_hooks: "Webhooks",
  organization_hooks: "Organization webhooks",
  pull_requests: "Pull requests",
}

function permissionText(permission: string): string {
  const [name = "", access = "read"] = permission.split("=", 2)
  const label = permissionNames[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ")
  return `${label}: ${access === "write" ? "read and write" : access}`
}

function said(data: unknown): string {
  const details = list(data, "errors", 5).map(
    (entry) => text(entry, "message", 200) ?? text(entry, "code", 200),
  )
  const parts = [text(data, "message", 200), ...details].filter((part) => part !== null)
  return parts.length === 0 ? "it gives no reason" : cleanText(parts.join("; "), 500)
}
