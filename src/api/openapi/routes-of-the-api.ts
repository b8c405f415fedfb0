import type { RouteDescription } from "../../core/route-description.ts"
import { administrationRouteDescriptions } from "./administration.ts"
import { consumerGroupRouteDescriptions } from "./consumer-groups.ts"
import { entityRouteDescriptions } from "./entities.ts"
import { eventRouteDescriptions, type SubmittedBodies } from "./events.ts"
import { linkRouteDescriptions } from "./links.ts"
import { probeRouteDescriptions } from "./probes.ts"
import { replayRouteDescriptions } from "./replays.ts"
import { sourceRouteDescriptions } from "./sources.ts"
import { streamAdminRouteDescriptions } from "./streams.ts"
import { subscriptionRouteDescriptions } from "./subscriptions.ts"

/** Every route of src/api; those of streams and of webhooks are described where they are served. */
export function apiRouteDescriptions(bodies: SubmittedBodies): RouteDescription[] {
  return [
    ...eventRouteDescriptions(bodies),
    ...entityRouteDescriptions,
    ...linkRouteDescriptions,
    ...streamAdminRouteDescriptions,
    ...consumerGroupRouteDescriptions,
    ...subscriptionRouteDescriptions,
    ...sourceRouteDescriptions,
    ...replayRouteDescriptions,
    ...administrationRouteDescriptions,
    ...probeRouteDescriptions,
  ]
}
