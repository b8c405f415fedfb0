import type { Db } from "./database.ts"

/** A partition as whoever looks after a group sees it, see schemas/views/consumer_group_lag.sql. */
export interface PartitionLag {
  group: string
  partition: number
  member: string | null
  memberName: string | null
  generation: number
  committed: number
  head: number
  /** Positions that are not committed. */
  lag: number
  lagSeconds: number
}

/** How far every partition of these groups is behind, of the tenant whose rows `db` sees. */
export async function groupLag(db: Db, groups: readonly string[]): Promise<PartitionLag[]> {
  const { rows } = await db.query<PartitionLag>(
    `select consumer_group as "group", partition, member, member_name as "memberName", generation, committed,
       head, lag, lag_seconds as "lagSeconds"
     from consumer_group_lag where consumer_group = any($1) order by consumer_group, partition`,
    [groups],
  )
  return rows
}

/** A group's lag as one figure: that of its partition furthest behind. */
export interface GroupLagSum {
  group: string
  partitions: number
  members: number
  lag: number
  lagSeconds: number
}

/** The lag of all groups of the tenant whose rows `db` sees, by name, `limit` at most. */
export async function groupLagSums(db: Db, limit: number): Promise<GroupLagSum[]> {
  const { rows } = await db.query<GroupLagSum>(
    `select consumer_group as "group", count(*) as partitions, count(distinct member) as members,
       max(lag) as lag, max(lag_seconds) as "lagSeconds"
     from consumer_group_lag group by consumer_group order by consumer_group limit $1`,
    [limit],
  )
  return rows
}
