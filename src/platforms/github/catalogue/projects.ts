import { entityKey } from "../../../core/entity-key.ts"
import type { Reference } from "../../../core/envelope.ts"
import { firstKey, fromApiUrl, global, surroundings } from "../keys.ts"
import { text } from "../read.ts"
import { reference } from "../references.ts"
import type { Shapes } from "../shape.ts"

/** Project boards, of the old kind and of the new. */
export const projectShapes: Shapes = {
  project: {
    has: ["project"],
    priority: "low",
    about: "project",
    entity: firstKey(global("project", "project.id"), surroundings),
  },
  project_card: {
    has: ["project_card"],
    priority: "low",
    about: "project_card",
    entity: firstKey(global("project_card", "project_card.id"), surroundings),
    title: ["project_card.note"],
    references: cardContent,
  },
  project_column: {
    has: ["project_column"],
    priority: "low",
    about: "project_column",
    entity: firstKey(global("project_column", "project_column.id"), surroundings),
  },
  projects_v2: {
    has: ["projects_v2"],
    priority: "low",
    about: "projects_v2",
    entity: firstKey(global("project", "projects_v2.node_id"), surroundings),
  },
  projects_v2_item: {
    has: ["projects_v2_item"],
    priority: "low",
    about: "projects_v2_item",
    entity: firstKey(global("project_item", "projects_v2_item.node_id"), surroundings),
  },
  projects_v2_status_update: {
    has: ["projects_v2_status_update"],
    priority: "low",
    about: "projects_v2_status_update",
    entity: firstKey(global("project", "projects_v2_status_update.project_node_id"), surroundings),
    state: ["projects_v2_status_update.status"],
  },
}

function cardContent(payload: unknown): Reference[] {
  const url = text(payload, "project_card.content_url")
  const target = fromApiUrl(url)
  if (target === null || target.number === null) return []
  const key = entityKey.githubIssue(target.repository, target.number)
  return reference(key, "tracks", "project_card.content_url", url)
}
