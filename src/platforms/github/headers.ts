/** Headers kept with an event, lower-case: what tells of the delivery, and nothing that is secret. */
export const keptHeaders: readonly string[] = [
  "user-agent",
  "x-github-delivery",
  "x-github-enterprise-host",
  "x-github-enterprise-version",
  "x-github-event",
  "x-github-hook-id",
  "x-github-hook-installation-target-id",
  "x-github-hook-installation-target-type",
]
