import type { Reference } from "../../../core/envelope.ts"
import {
  firstKey,
  global,
  installation,
  organization,
  organizationById,
  surroundings,
  type KeyReader,
} from "../keys.ts"
import { text } from "../read.ts"
import { reference } from "../references.ts"
import type { Shapes } from "../shape.ts"

const team: KeyReader = (payload) => {
  const group = organization(payload)?.slice("github:organization:".length)
  const slug = text(payload, "team.slug", 256)?.toLowerCase()
  return group === undefined || slug === undefined || !/^[\w.-]+$/.test(slug)
    ? null
    : `github:team:${group}/${slug}`
}

/** Organizations, teams, apps and hooks. */
export const accountShapes: Shapes = {
  organization: {
    has: ["organization", "action"],
    actions: ["deleted", "member_added", "member_invited", "member_removed", "renamed"],
    entity: organization,
    byId: organizationById,
    hasNot: ["repository", "team", "blocked_user", "projects_v2", "projects_v2_item", "definition"],
    title: ["membership.user.login", "user.login", "organization.login"],
    references: renamedFrom,
  },
  membership: {
    has: ["member", "scope", "team"],
    entity: firstKey(team, organization),
    title: ["member.login"],
  },
  org_block: {
    has: ["blocked_user"],
    entity: organization,
    title: ["blocked_user.login"],
  },
  team: {
    has: ["team", "action"],
    hasNot: ["member"],
    about: "team",
    entity: firstKey(team, surroundings),
  },
  installation: {
    has: ["installation.account", "action"],
    hasNot: ["repositories_added", "repositories_removed", "target_type"],
    priority: "high",
    about: "installation",
    entity: installation,
    title: ["installation.account.login"],
  },
  installation_repositories: {
    has: ["repositories_added", "repositories_removed"],
    about: "installation",
    entity: installation,
    title: ["installation.account.login"],
  },
  installation_target: {
    has: ["account", "target_type"],
    entity: installation,
    title: ["account.login"],
  },
  github_app_authorization: {
    has: ["action", "sender"],
    hasNot: ["repository", "organization"],
    actions: ["revoked"],
    entity: () => null,
  },
  marketplace_purchase: {
    has: ["marketplace_purchase"],
    about: "marketplace_purchase",
    entity: global("account", "marketplace_purchase.account.id"),
    title: ["marketplace_purchase.account.login"],
    time: ["effective_date"],
  },
  sponsorship: {
    has: ["sponsorship"],
    priority: "low",
    about: "sponsorship",
    entity: global("sponsorship", "sponsorship.node_id"),
    title: ["sponsorship.sponsor.login"],
  },
  personal_access_token_request: {
    has: ["personal_access_token_request"],
    priority: "high",
    about: "personal_access_token_request",
    entity: firstKey(organization, installation),
    title: ["personal_access_token_request.owner.login"],
  },
  ping: {
    verb: "received",
    has: ["hook"],
    hasNot: ["action"],
    priority: "low",
    about: "hook",
    entity: global("hook", "hook.id"),
    title: ["zen"],
  },
  meta: {
    has: ["hook", "action"],
    // Our own hook was deleted: nothing more will come.
    priority: "high",
    about: "hook",
    entity: global("hook", "hook.id"),
  },
}

function renamedFrom(payload: unknown): Reference[] {
  const before = text(payload, "changes.login.from")
  const old = organization({ organization: { login: before } })
  return old === null ? [] : reference(organizationById(payload), "same_as", "changes", before, old)
}
