import { readFileSync } from "node:fs"
import { z } from "zod"
import type { Documented } from "./api/documentation.ts"
import { apiRouteDescriptions } from "./api/openapi/routes-of-the-api.ts"
import { webhookRouteDescriptions } from "./ingest/describe-routes.ts"
import { customSchema } from "./platforms/custom/schema.ts"
import { deploymentSchema } from "./platforms/deployment/schema.ts"
import { streamRouteDescriptions } from "./streaming/describe-routes.ts"

/** Every route of a hub, whatever roles this process has: its clients see one hub. */
export const documented: Documented = {
  routes: [
    ...webhookRouteDescriptions,
    ...streamRouteDescriptions,
    ...apiRouteDescriptions({ custom: customSchema, deployment: deploymentSchema }),
  ],
  version: versionOfPackage(),
}

function versionOfPackage(): string {
  const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8")
  return z.object({ version: z.string() }).parse(JSON.parse(manifest)).version
}
