import { partitionOf } from "../../src/core/partition-of.ts"
import { createDerive } from "../../src/processing/derive.ts"
import { reprocess } from "../../src/processing/reprocess.ts"
import { createPool } from "../../src/store/database.ts"
import { processingSettings } from "../../src/store/processing.ts"
import { linkAll, obedient } from "./obedient.ts"

/** Derives events of the log anew, by a platform that has them about this entity. */
export async function giveEntity(
  databaseUrl: string,
  ids: readonly string[],
  entity: string | null,
): Promise<void> {
  const pool = createPool(databaseUrl, {
    role: "signalbox_worker",
    max: 1,
    pipeline: true,
    settings: processingSettings,
  })
  const platform = {
    ...obedient,
    normalize: (message: Parameters<typeof obedient.normalize>[0]) => ({
      ...obedient.normalize(message),
      entity,
    }),
  }
  try {
    const { mended } = await reprocess({ pool, derive: createDerive([platform], linkAll) }, ids)
    if (mended !== ids.length) throw new Error(`${mended} of ${ids.length} events were derived anew`)
  } finally {
    await pool.end()
  }
}

/** An entity of a partition. */
export function entityIn(partition: number, partitions: number): string {
  for (let n = 0; ; n++) {
    if (partitionOf(`thing:${n}`, partitions) === partition) return `thing:${n}`
  }
}
