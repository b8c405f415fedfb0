import type { LoggedRecord } from "../../../../core/remote.ts"
import { at, id, list, text, time } from "../../read.ts"
import type { Strand } from "../strand.ts"
import { newestFirst } from "./newest-first.ts"
import { asOf, recordOf, type RecordSource } from "./record.ts"

/** Statuses of deployments up to so much older than the window are looked for. */
const lookBackMs = 3 * 24 * 60 * 60 * 1000

/** Deployments, and their statuses. */
export function deployments(source: RecordSource): Strand {
  const { client, path, name, since, now } = source
  return newestFirst({
    key: `deployments ${path}`,
    client,
    path: `${path}/deployments?per_page=100`,
    label: `deployments of ${name}`,
    sortedBy: "created_at",
    since: new Date(since.getTime() - lookBackMs),
    moves: false,
    now,
    async records(entries) {
      const found: LoggedRecord[] = []
      for (const deployment of entries) {
        found.push(...created(source, deployment))
        // A new status moves the deployment's time.
        const changed = time(deployment, "updated_at")
        if (!source.events.has("deployment_status") || changed === null || changed < since) continue
        found.push(...(await statuses(source, deployment)))
      }
      return found
    },
  })
}

function created(source: RecordSource, deployment: unknown): LoggedRecord[] {
  return recordOf(source, {
    event: "deployment",
    action: "created",
    id: id(deployment, "id") ?? "",
    at: time(deployment, "created_at"),
    sender: at(deployment, "creator"),
    subject: { deployment },
  })
}

async function statuses(source: RecordSource, deployment: unknown): Promise<LoggedRecord[]> {
  const deploymentId = id(deployment, "id")
  if (deploymentId === null) return []
  const path = `${source.path}/deployments/${deploymentId}/statuses?per_page=100`
  const { data } = await source.client.get(path, `the statuses of deployment ${deploymentId}`)
  return list({ data }, "data").flatMap((status) => {
    const when = text(status, "created_at")
    if (when === null) return []
    return recordOf(source, {
      event: "deployment_status",
      action: "created",
      id: id(status, "id") ?? "",
      at: time(status, "created_at"),
      sender: at(status, "creator"),
      subject: { deployment_status: asOf(status, when), deployment },
    })
  })
}
