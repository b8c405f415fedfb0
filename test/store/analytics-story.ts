import {
  branchCreated,
  pullRequestMerged,
  pullRequestOpened,
  pushed,
} from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { issueCreated } from "../../fixtures/correlation/linear.ts"
import { shaOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import { at, course, deployment } from "./analytics-requests.ts"

function issue(number: number, time: string): StoryRequest {
  return issueCreated({ number, title: `Issue ${number}`, description: "", createdAt: at(time) })
}

// Merged long before anything was deployed that the hub knows of.
const ancient = pullRequest({
  number: 1,
  title: "Begin",
  body: "",
  branch: "begin",
  author: "dev",
  openedAt: new Date("2024-02-05T09:00:00Z"),
})
const ancientMerge = new Date("2024-02-06T09:00:00Z")
const base = shaOf("base of the story")

export const tries = course({
  number: 10,
  title: "ENG-10: Keep sessions",
  branch: "keep-sessions",
  author: "dev",
  pushed: "Mon 09:30",
  opened: "Mon 10:00",
  reviews: [
    ["dev", "Mon 10:05"], // the author answers a comment
    ["maint", "Mon 10:30"],
  ],
  merged: "Mon 11:00",
})
const second = course({
  number: 11,
  title: "ENG-10: Drop old sessions",
  branch: "drop-old-sessions",
  author: "maint",
  pushed: "Mon 11:50",
  opened: "Mon 12:00",
  merged: "Mon 12:30",
})
const both = course({
  number: 12,
  title: "ENG-20 ENG-21: Split the client",
  branch: "split-the-client",
  author: "maint",
  pushed: "Mon 12:05",
  opened: "Mon 12:10",
  reviews: [["dev", "Mon 12:20"]],
  merged: "Mon 12:40",
})
const revert = course({
  number: 14,
  title: 'Revert "ENG-20 ENG-21: Split the client"',
  body: "Reverts acme/api#12",
  branch: "revert-12-split-the-client",
  author: "dev",
  pushed: "Mon 13:58",
  opened: "Mon 14:00",
  merged: "Mon 14:05",
})
const undone = course({
  number: 15,
  title: "Cache answers",
  branch: "cache-answers",
  author: "dev",
  pushed: "Tue 08:30",
  opened: "Tue 09:00",
  merged: "Tue 09:30",
})
const putBack = course({
  number: 16,
  title: "Cache less",
  branch: "cache-less",
  author: "dev",
  pushed: "Tue 10:10",
  opened: "Tue 10:20",
  merged: "Tue 10:30",
})
const broken = course({
  number: 18,
  title: "Count requests",
  branch: "count-requests",
  author: "maint",
  pushed: "Tue 11:10",
  opened: "Tue 11:15",
  merged: "Tue 11:30",
})
const hotfix = course({
  number: 17,
  title: "Count them once",
  branch: "hotfix/count-once",
  author: "dev",
  pushed: "Tue 11:45",
  opened: "Tue 11:50",
  merged: "Tue 11:55",
})
// The deploying tool's clock is half a minute slow.
const early = course({
  number: 22,
  title: "Log less",
  branch: "log-less",
  author: "dev",
  pushed: "Wed 08:40",
  opened: "Wed 08:50",
  reviews: [["maint", "Wed 08:55"]],
  merged: "Wed 09:00",
})
const waiting = course({
  number: 19,
  title: "ENG-30: Wait",
  branch: "wait",
  author: "dev",
  pushed: "Wed 14:00",
  opened: "Wed 14:10",
  reviews: [["maint", "Wed 14:40"]],
  merged: "Wed 15:00",
})
const unmerged = course({
  number: 21,
  title: "ENG-31: Not yet",
  branch: "not-yet",
  author: "dev",
  pushed: "Wed 15:20",
  opened: "Wed 15:30",
})

/** Three days of one repository, in the order in which they happened. */
export const story: readonly StoryRequest[] = [
  pullRequestOpened(ancient),
  pullRequestMerged(ancient, "maint", ancientMerge),
  pushed("main", { sha: ancient.mergeSha, message: "Begin (#1)" }, "maint", ancientMerge),
  pushed("main", { sha: base, message: "Base" }, "maint", at("Mon 09:00")),
  deployment("dpl_0", "success", base, "Mon 09:05"),
  issue(10, "Mon 09:10"),
  issue(20, "Mon 09:15"),
  branchCreated("keep-sessions", "dev", at("Mon 09:20")),
  ...tries.requests,
  deployment("dpl_s1", "success", tries.pr.mergeSha, "Mon 11:05", "staging"),
  deployment("dpl_1", "in_progress", tries.pr.mergeSha, "Mon 11:10"),
  deployment("dpl_1", "failure", tries.pr.mergeSha, "Mon 11:20"),
  deployment("dpl_2", "success", tries.pr.mergeSha, "Mon 11:40"),
  ...second.requests,
  ...both.requests,
  deployment("dpl_3", "success", both.pr.mergeSha, "Mon 13:00"), // the second's too, though nothing names it
  ...revert.requests,
  deployment("dpl_4", "success", revert.pr.mergeSha, "Mon 14:15"),
  ...undone.requests,
  deployment("dpl_5", "success", undone.pr.mergeSha, "Tue 09:40"),
  deployment("dpl_6", "success", revert.pr.mergeSha, "Tue 09:50"), // a rollback that nobody calls one
  ...putBack.requests,
  deployment("dpl_7", "success", putBack.pr.mergeSha, "Tue 10:40"),
  deployment("dpl_7", "rolled_back", revert.pr.mergeSha, "Tue 11:00"),
  ...broken.requests,
  deployment("dpl_8", "success", broken.pr.mergeSha, "Tue 11:40"),
  ...hotfix.requests,
  deployment("dpl_9", "success", hotfix.pr.mergeSha, "Tue 12:00"),
  ...early.requests,
  deployment("dpl_10", "success", early.pr.mergeSha, "Wed 08:59:30"),
  deployment("dpl_11", "in_progress", early.pr.mergeSha, "Wed 10:00"),
  deployment("dpl_11", "canceled", early.pr.mergeSha, "Wed 10:05"),
  issue(30, "Wed 13:00"),
  ...waiting.requests,
  ...unmerged.requests,
]
