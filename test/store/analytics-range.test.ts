import { beforeAll, expect, it } from "vitest"
import { readAs } from "../../src/store/database.ts"
import { readDeliveryMetrics } from "../../src/store/delivery-metrics.ts"
import { testDatabase } from "../support/database.ts"
import { at } from "./analytics-requests.ts"
import { story } from "./analytics-story.ts"
import { startTakingIn } from "./take-in.ts"

const database = await testDatabase()
const takeIn = await startTakingIn(database)
beforeAll(() => takeIn("acme", story))

// Beginnings before, within and after everything that happens; each at a moment of the story as well.
const beginnings = [
  "Mon 08:00",
  "Mon 09:05",
  "Mon 11:20",
  "Mon 11:30",
  "Mon 13:00",
  "Mon 14:10",
  "Tue 09:45",
  "Tue 09:50",
  "Tue 10:40",
  "Tue 11:40",
  "Tue 12:00",
  "Wed 09:00",
].map(at)
const ends = ["Mon 14:15", "Tue 11:00", "Wed 23:00"].map(at)

it.each(["production", "staging", "nowhere"])(
  "whatever range is asked for, the figures of %s are those of the views over all of time",
  async (environment) => {
    for (const since of beginnings) {
      for (const until of ends.filter((end) => end > since)) {
        const filter = { environment, service: null, since, until }
        const figures = await readAs(database, "acme", (db) => readDeliveryMetrics(db, filter))
        const { rows } = await readAs(database, "acme", (db) =>
          db.query(
            `select * from (
               select count(*) as releases, count(live_at) as succeeded, count(failure) as failures,
                 count(time_to_restore) as restored,
                 extract(epoch from percentile_cont(0.5) within group (order by time_to_restore))::float8
                   as "timeToRestoreSeconds"
               from release_outcomes
               where $1 in (environment, environment_kind) and finished_at >= $2 and finished_at < $3
             ) as released, (
               select count(*) as "pullRequests",
                 extract(epoch from percentile_cont(0.5) within group (order by lead_time))::float8 as "leadTimeSeconds",
                 extract(epoch from percentile_cont(0.5) within group (order by coding))::float8 as "codingSeconds"
               from pull_request_lead_times
               where $1 in (environment, environment_kind) and deployed_at >= $2 and deployed_at < $3
             ) as changed`,
            [environment, since, until],
          ),
        )
        expect({ since, until, ...figures }).toMatchObject({ since, until, ...rows[0] })
      }
    }
  },
)
