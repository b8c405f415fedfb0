import { randomBytes } from "node:crypto"
import { z } from "zod"
import { SignalboxError } from "../../../core/errors.ts"
import type { Fields } from "../../../core/fields.ts"
import type { ConnectPlan, ConnectRequest, ConnectStep } from "../../../core/remote.ts"
import { type LinearApi, linearApi } from "./client.ts"

/** Options of `sources connect linear`. */
export const connectOptions = {
  team: "key of the one team to listen to (ENG); without it, all public teams",
}

/** What is asked for; initiatives are of the whole workspace and have no place in a team's webhook. */
const teamTypes = [
  "Attachment",
  "Comment",
  "Cycle",
  "Document",
  "Issue",
  "IssueLabel",
  "IssueSLA",
  "Project",
  "ProjectUpdate",
  "Reaction",
]
const workspaceTypes = ["Initiative", "InitiativeUpdate"]

const hookForm = z.object({
  id: z.string(),
  url: z.string().nullable(),
  enabled: z.boolean(),
  secret: z.string().nullish(),
  resourceTypes: z.array(z.string()),
  allPublicTeams: z.boolean(),
  team: z.object({ id: z.string(), key: z.string() }).nullable(),
})
type Hook = z.infer<typeof hookForm>
type Team = NonNullable<Hook["team"]>

/**
 * Plans a webhook to the source's address: the one that is there already, by address and team, or a new
 * one. Its secret is the source's newest, so that the source never has to learn one; Linear's own
 * rotation would end the old secret at once.
 */
export async function plan(request: ConnectRequest): Promise<ConnectPlan> {
  const { access, source, webhookUrl, options } = request
  const api = linearApi(access)
  const team = options["team"] === undefined ? null : await teamOf(api, options["team"])
  const hook = await hookTo(api, webhookUrl, team)
  const types = [...teamTypes, ...(team === null ? workspaceTypes : [])]
  const resourceTypes = [...new Set([...(hook?.resourceTypes ?? []), ...types])].toSorted()
  const secret = request.secret ?? hook?.secret ?? `lin_wh_${randomBytes(24).toString("hex")}`
  const learned = request.secret === null ? { secret } : {}
  const action = actionFor(hook, resourceTypes, secret)
  const where = team === null ? "all public teams" : `team ${team.key}`
  const settings = (webhookId: string): Fields => ({
    webhookId,
    resourceTypes,
    teamId: team?.id ?? null,
    team: team?.key ?? null,
  })
  return {
    steps: [
      { action, what: `webhook of ${where} to ${webhookUrl}, ${resourceTypes.length} kinds of things` },
    ],
    apply: async () => {
      if (hook !== undefined && action === "keep") return { settings: settings(hook.id), ...learned }
      const id = await api.call(async (client) => {
        const payload =
          hook === undefined
            ? await client.createWebhook({
                url: webhookUrl,
                label: `signalbox ${source}`,
                resourceTypes,
                secret,
                ...(team === null ? { allPublicTeams: true } : { teamId: team.id }),
              })
            : await client.updateWebhook(hook.id, { resourceTypes, secret, enabled: true })
        return payload.webhookId
      })
      const webhookId = id ?? hook?.id
      if (webhookId === undefined) {
        throw new SignalboxError("unavailable", "Linear did not say which webhook it has made: try again")
      }
      return { settings: settings(webhookId), ...learned }
    },
  }
}

// Whoever may list webhooks sees their secrets; where it is withheld it is set again.
function actionFor(hook: Hook | undefined, types: readonly string[], secret: string): ConnectStep["action"] {
  if (hook === undefined) return "create"
  const same =
    hook.enabled && hook.secret === secret && types.every((type) => hook.resourceTypes.includes(type))
  return same ? "keep" : "update"
}

const teamsForm = z.object({
  teams: z.object({ nodes: z.array(z.object({ id: z.string(), key: z.string() })) }),
})

async function teamOf(api: LinearApi, key: string): Promise<Team> {
  const { teams } = await api.query(
    `query Teams($key: String!) { teams(filter: { key: { eqIgnoreCase: $key } }, first: 1) { nodes { id key } } }`,
    { key },
    teamsForm,
  )
  const team = teams.nodes[0]
  if (team !== undefined) return team
  throw new SignalboxError("not_found", `Linear has no team with the key ${key} that this API key may see`)
}

const hooksForm = z.object({
  webhooks: z.object({
    nodes: z.array(hookForm),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  }),
})

async function hookTo(api: LinearApi, url: string, team: Team | null): Promise<Hook | undefined> {
  for (let after: string | null = null; ;) {
    const { webhooks }: z.infer<typeof hooksForm> = await api.query(
      `query Webhooks($after: String) {
        webhooks(first: 50, after: $after) {
          nodes { id url enabled secret resourceTypes allPublicTeams team { id key } }
          pageInfo { hasNextPage endCursor }
        }
      }`,
      { after },
      hooksForm,
    )
    const found = webhooks.nodes.find(
      (hook) => hook.url === url && (team === null ? hook.allPublicTeams : hook.team?.id === team.id),
    )
    if (found !== undefined || !webhooks.pageInfo.hasNextPage) return found
    after = webhooks.pageInfo.endCursor
  }
}
