import type { Priority } from "../../../core/envelope.ts"
import { firstKey, global, identified, numbered, repository, surroundings } from "../keys.ts"
import type { Shapes } from "../shape.ts"

const opening = new Set([
  "appeared_in_branch",
  "auto_reopened",
  "create",
  "created",
  "publicly_leaked",
  "reintroduced",
  "reopen",
  "reopened",
  "reopened_by_user",
  "validated",
])

function alertPriority(_payload: unknown, action: string | null): Priority {
  return action !== null && opening.has(action) ? "critical" : "normal"
}

/** Alerts and advisories. */
export const securityShapes: Shapes = {
  code_scanning_alert: {
    has: ["alert", "commit_oid"],
    priority: alertPriority,
    about: "alert",
    entity: numbered("code_scanning_alert", "alert.number"),
    title: ["alert.rule.description", "alert.rule.id"],
    number: ["alert.number"],
    ref: ["ref"],
    sha: ["commit_oid"],
  },
  dependabot_alert: {
    has: ["alert.dependency"],
    priority: alertPriority,
    about: "alert",
    entity: numbered("dependabot_alert", "alert.number"),
    title: ["alert.security_advisory.summary"],
    number: ["alert.number"],
  },
  secret_scanning_alert: {
    has: ["alert"],
    hasNot: ["location", "commit_oid", "alert.dependency", "alert.affected_package_name"],
    priority: alertPriority,
    about: "alert",
    entity: numbered("secret_scanning_alert", "alert.number"),
    title: ["alert.secret_type_display_name", "alert.secret_type"],
    number: ["alert.number"],
  },
  secret_scanning_alert_location: {
    has: ["alert", "location"],
    priority: alertPriority,
    about: "alert",
    entity: numbered("secret_scanning_alert", "alert.number"),
    title: ["alert.secret_type_display_name", "alert.secret_type"],
    number: ["alert.number"],
  },
  secret_scanning_scan: {
    has: ["type", "source", "started_at"],
    entity: surroundings,
    time: ["completed_at", "started_at"],
  },
  repository_vulnerability_alert: {
    has: ["alert.affected_package_name"],
    priority: alertPriority,
    about: "alert",
    entity: identified("vulnerability_alert", "alert.id"),
    title: ["alert.affected_package_name"],
    number: ["alert.number"],
  },
  repository_advisory: {
    has: ["repository_advisory"],
    priority: "high",
    about: "repository_advisory",
    entity: firstKey(global("security_advisory", "repository_advisory.ghsa_id"), repository),
    title: ["repository_advisory.summary"],
  },
  security_advisory: {
    has: ["security_advisory"],
    about: "security_advisory",
    entity: global("security_advisory", "security_advisory.ghsa_id"),
    title: ["security_advisory.summary"],
  },
  security_and_analysis: {
    verb: "changed",
    has: ["changes", "repository"],
    hasNot: ["action"],
    priority: "high",
    entity: repository,
  },
}
