import type { AsOf } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"
import { changeStatus } from "./change-status.ts"
import { deploymentStatus } from "./deployment-status.ts"
import type { Status } from "./status.ts"

/** How an issue, a pull request, a commit or a deployment stands, and in which environments it is live. */
export async function entityStatus(
  db: Db,
  tenant: string,
  entity: string,
  asOf: AsOf = null,
): Promise<Status> {
  return (await deploymentStatus(db, tenant, entity, asOf)) ?? changeStatus(db, tenant, entity, asOf)
}
