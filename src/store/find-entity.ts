import type { EntityName } from "../core/entity-name.ts"
import { entityKey } from "../core/entity-key.ts"
import { SignalboxError } from "../core/errors.ts"
import { isKnownEntity } from "./correlations.ts"
import type { Db } from "./database.ts"

const maxCommits = 5

/**
 * The key of the thing that a name means: of several the first of which anything is known. Throws `not_found`
 * where nothing is, and `conflict` where the digits begin more than one commit.
 */
export async function findEntity(db: Db, tenant: string, name: EntityName): Promise<string> {
  if ("commit" in name) return findCommit(db, tenant, name.commit)
  for (const key of name.keys) if (await isKnownEntity(db, tenant, key)) return key
  throw new SignalboxError("not_found", `nothing is known of ${name.keys.join(" or ")}`)
}

async function findCommit(db: Db, tenant: string, digits: string): Promise<string> {
  const found = await commitsFrom(db, tenant, digits)
  const [first] = found
  if (first === undefined)
    throw new SignalboxError("not_found", `no commit is known that begins with ${digits}`)
  if (found.length === 1) return first
  const shown = found.map((key) => key.slice(entityKey.githubCommit("").length)).join(", ")
  throw new SignalboxError(
    "conflict",
    `${digits} begins more than one commit, give more digits: ${shown}${found.length > maxCommits ? ", …" : ""}`,
  )
}

/** Keys of commits of which anything is known and that begin with these digits, one more than are shown. */
async function commitsFrom(db: Db, tenant: string, digits: string): Promise<string[]> {
  const from = entityKey.githubCommit(digits)
  const sources = [
    ["event_log", "entity"],
    ["entity_states", "entity"],
    ["event_correlations", "from_entity"],
    ["event_correlations", "to_entity"],
    ["event_references", "entity"],
  ] as const
  const { rows } = await db.query<{ entity: string }>({
    name: "commits_from_digits",
    text: `${sources
      .map(([table, column]) => `select ${column} as entity from ${table} where ${within(column)}`)
      .join(" union ")} order by entity limit $3`,
    values: [tenant, from, maxCommits + 1],
  })
  return rows.map(({ entity }) => entity)
}

// In every collation the letter after f comes after whatever digits may follow.
function within(column: string): string {
  return `tenant = $1 and ${column} >= $2 and ${column} < $2 || 'g' and starts_with(${column}, $2)`
}
