import { surroundings } from "../keys.ts"
import type { EventShape } from "../shape.ts"
import { accountShapes } from "./accounts.ts"
import { checkShapes } from "./checks.ts"
import { codeShapes } from "./code.ts"
import { deploymentShapes } from "./deployments.ts"
import { issueShapes } from "./issues.ts"
import { projectShapes } from "./projects.ts"
import { pullRequestShapes } from "./pull-requests.ts"
import { repositoryShapes } from "./repositories.ts"
import { securityShapes } from "./security.ts"

/** Every event that GitHub documents. A map, so that an event named `constructor` finds nothing in it. */
export const catalogue: ReadonlyMap<string, EventShape> = new Map(
  [
    pullRequestShapes,
    issueShapes,
    codeShapes,
    checkShapes,
    deploymentShapes,
    securityShapes,
    repositoryShapes,
    accountShapes,
    projectShapes,
  ].flatMap((family) => Object.entries(family)),
)

const unknownShape: EventShape = { has: [], entity: surroundings }

/** What is known of an event; GitHub adds events, so those we do not know yet are taken as well. */
export function shapeOf(event: string): EventShape {
  return catalogue.get(event) ?? unknownShape
}
