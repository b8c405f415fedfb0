import { randomOf } from "./random.ts"

export type Thing = Record<string, unknown> & { id: string; createdAt: string; updatedAt: string }

/** A webhook of Linear's, sent or not. */
export interface LinearDelivery {
  key: string
  type: string
  action: "create" | "update" | "remove"
  id: string
  at: Date
  /** As it is sent. */
  body: string
}

/** A workspace: what is in it, and what happens there. */
export interface LinearWorkspace {
  organizationId: string
  teams: Team[]
  things: Map<string, Map<string, Thing>>
  /** Makes something happen at a time, drawn from all that can. */
  happen(at: Date): LinearDelivery
  /** Makes an issue in the private team, of which no webhook tells. */
  happenInPrivate(at: Date): string
  change(type: string, id: string, at: Date): LinearDelivery
  create(type: string, at: Date): LinearDelivery
  removeIssue(id: string, at: Date): LinearDelivery
  /** Whether the API can still tell of what a delivery told of. */
  isTold(delivery: LinearDelivery): boolean
}

interface Team {
  id: string
  key: string
  name: string
  private: boolean
}

/** Makes a workspace with a public and a private team; the same for the same seed. */
export function createWorkspace(seed: number): LinearWorkspace {
  const random = randomOf(seed)
  let count = 0
  const uuid = (): string => {
    const digits = `${seed.toString(16)}${(count++).toString(16)}`.padStart(12, "0").slice(-12)
    return `0d3f5f0e-0000-4000-8000-${digits}`
  }
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const organizationId = uuid()
  const webhookId = uuid()
  const team: Team = { id: uuid(), key: "ENG", name: "Engineering", private: false }
  const secret: Team = { id: uuid(), key: "SEC", name: "Security", private: true }
  const user = (name: string) => ({
    id: uuid(),
    name,
    email: `${name.toLowerCase()}@acme.example`,
    url: `https://linear.app/acme/profiles/${name.toLowerCase()}`,
  })
  const users = [user("Dev"), user("Maint")]
  const states = ["Todo", "In Progress", "Done"].map((name) => ({
    id: uuid(),
    color: "#000",
    name,
    type: "started",
  }))
  const types = ["IssueLabel", "Project", "ProjectUpdate", "Issue", "Comment", "Attachment"]
  const things = new Map<string, Map<string, Thing>>(types.map((type) => [type, new Map()]))
  const all = (type: string): Thing[] => [...(things.get(type)?.values() ?? [])]
  const alive = (type: string): Thing[] => all(type).filter(({ trashed }) => trashed !== true)
  const publicIssues = (): Thing[] => alive("Issue").filter(({ team: of }) => of === team)

  const makers: Record<string, (at: string, of: Team) => Record<string, unknown>> = {
    IssueLabel: () => ({
      name: `label ${count}`,
      description: null,
      color: "#eb5757",
      isGroup: false,
      creator: users[0],
      team,
      parent: null,
    }),
    Project: (at, of) => ({
      ...nulls(
        "health healthUpdatedAt startDateResolution targetDateResolution startedAt completedAt canceledAt autoArchivedAt icon startDate targetDate lastUpdate lead",
      ),
      trashed: null,
      name: `Project ${count}`,
      description: "Everything about it",
      content: "Starts with ENG-1",
      slugId: "5bfd1327f54b",
      url: `https://linear.app/acme/project/p-${count}`,
      color: "#bec2c8",
      priority: 2,
      sortOrder: -1.5,
      prioritySortOrder: -1.5,
      state: "started",
      labelIds: [],
      status: states[1],
      creator: users[0],
      teams: [of],
      accessibleTeams: [of],
      members: users,
      at,
    }),
    ProjectUpdate: () => {
      const project = pick(alive("Project"))
      return {
        body: `On track, see ENG-${count}`,
        health: "onTrack",
        editedAt: null,
        slugId: "9000",
        url: `${String(project["url"])}/activity#project-update-9000`,
        diffMarkdown: null,
        reactionData: [],
        project,
        user: users[1],
      }
    },
    Issue: (_, of) => {
      const number = all("Issue").length + 1
      return {
        ...nulls(
          "trashed estimate dueDate startedAt completedAt canceledAt triagedAt startedTriageAt autoClosedAt autoArchivedAt snoozedUntilAt addedToCycleAt addedToProjectAt addedToTeamAt slaType slaStartedAt slaBreachesAt botActor delegate parent cycle projectMilestone",
        ),
        number,
        identifier: `${of.key}-${number}`,
        previousIdentifiers: [],
        title: `Issue ${number}`,
        description: `Blocks ENG-${number + 1} & more`,
        url: `https://linear.app/acme/issue/${of.key}-${number}/issue-${number}`,
        priority: 2,
        priorityLabel: "High",
        sortOrder: -10.5,
        prioritySortOrder: -10.5,
        labelIds: [],
        reactionData: [],
        team: of,
        state: states[0],
        labels: [],
        creator: users[0],
        assignee: users[1],
        project: alive("Project")[0] ?? null,
      }
    },
    Comment: () => {
      const issue = pick(publicIssues())
      return {
        ...nulls(
          "editedAt resolvedAt quotedText projectId projectUpdateId initiativeId initiativeUpdateId documentContentId parentId resolvingCommentId project projectUpdate botActor",
        ),
        body: `Same cause as ENG-${count}`,
        url: `${String(issue["url"])}#comment-${count}`,
        reactionData: [],
        issueId: issue.id,
        issue,
        user: users[1],
      }
    },
    Attachment: () => ({
      title: `#${count} Fix`,
      subtitle: "Open",
      url: `https://github.com/acme/api/pull/${count}`,
      metadata: { number: count },
      source: { type: "github" },
      sourceType: "github",
      groupBySource: false,
      creator: null,
      issue: pick(publicIssues()),
    }),
  }

  function make(type: string, at: Date, of: Team): Thing {
    const time = at.toISOString()
    const thing: Thing = {
      id: uuid(),
      createdAt: time,
      updatedAt: time,
      archivedAt: null,
      ...makers[type]?.(time, of),
    }
    things.get(type)?.set(thing.id, thing)
    return thing
  }

  function create(type: string, at: Date): LinearDelivery {
    return delivery("create", type, make(type, at, team), at)
  }

  function change(type: string, id: string, at: Date): LinearDelivery {
    const thing = things.get(type)?.get(id)
    if (thing === undefined) throw new Error(`no ${type} ${id}`)
    thing.updatedAt = at.toISOString()
    if (type === "Issue") thing["state"] = pick(states)
    if (type === "Comment") thing["body"] = `${String(thing["body"])}, edited`
    return delivery("update", type, thing, at)
  }

  function removeIssue(id: string, at: Date): LinearDelivery {
    const issue = things.get("Issue")?.get(id)
    if (issue === undefined) throw new Error(`no issue ${id}`)
    issue["trashed"] = true
    issue["archivedAt"] = at.toISOString()
    return delivery("remove", "Issue", issue, at)
  }

  function happen(at: Date): LinearDelivery {
    if (publicIssues().length < 3) return create(alive("Project").length === 0 ? "Project" : "Issue", at)
    const draw = random()
    if (draw < 0.3) return create("Issue", at)
    if (draw < 0.5) return create("Comment", at)
    if (draw < 0.8) return change("Issue", pick(publicIssues()).id, at)
    if (draw < 0.84) return removeIssue(pick(publicIssues()).id, at)
    if (draw < 0.88) return create(pick(["IssueLabel", "Project", "ProjectUpdate"]), at)
    if (draw < 0.95) return create("Attachment", at)
    const edited = alive("Comment")[0]
    return edited === undefined ? create("Comment", at) : change("Comment", edited.id, at)
  }

  function isTold({ action, type, id, at }: LinearDelivery): boolean {
    const thing = things.get(type)?.get(id)
    if (action === "remove" || thing === undefined) return thing?.["archivedAt"] === at.toISOString()
    return thing["trashed"] !== true && (action === "create" || thing.updatedAt === at.toISOString())
  }

  function delivery(action: LinearDelivery["action"], type: string, thing: Thing, at: Date): LinearDelivery {
    const body = JSON.stringify({
      action,
      actor: { ...users[0], type: "user" },
      createdAt: at.toISOString(),
      data: webhookData(type, thing),
      type,
      organizationId,
      webhookTimestamp: at.getTime() + 1_500,
      webhookId,
      ...(type === "Attachment" ? {} : { url: thing["url"] }),
    })
    return { key: uuid(), type, action, id: thing.id, at, body }
  }

  return {
    organizationId,
    teams: [team, secret],
    things,
    happen,
    happenInPrivate: (at) => make("Issue", at, secret).id,
    change,
    create,
    removeIssue,
    isTold,
  }
}

/** A thing as webhooks have it: with the ids of what it holds, and of the most only those. */
function webhookData(type: string, thing: Thing): Record<string, unknown> {
  const data: Record<string, unknown> = {}
  for (const [member, value] of Object.entries(thing)) {
    if (value === null || member === "accessibleTeams" || member === "at") continue
    if (member === "teams" || member === "members") {
      data[`${member.slice(0, -1)}Ids`] = (value as Thing[]).map(({ id }) => id)
    } else if (typeof value === "object" && "id" in value) {
      data[`${member}Id`] = value.id
      if (member !== "creator" && type !== "Attachment" && type !== "IssueLabel") data[member] = flat(value)
    } else if (member !== "url" || type !== "Comment") {
      data[member] = value
    }
  }
  return structuredClone(data)
}

/** Of a thing within a thing no more than its own values, and an issue's team. */
function flat(thing: object): Record<string, unknown> {
  const values = Object.entries(thing).filter(([, value]) => value !== null && typeof value !== "object")
  const { team } = thing as { team?: { id: string } }
  return {
    ...Object.fromEntries(values),
    ...(team === undefined ? {} : { team: flat(team), teamId: team.id }),
  }
}

function nulls(members: string): Record<string, null> {
  return Object.fromEntries(members.split(" ").map((member) => [member, null]))
}
