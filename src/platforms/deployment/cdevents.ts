import { type Fields, fieldsOf } from "../../core/fields.ts"
import { firstLine, textOrNull } from "../../core/text.ts"
import { bodyKey } from "../../core/delivery-key.ts"
import { deploymentFrom } from "./lenient.ts"
import { noticeTitle, timeOf, timeText } from "./notice.ts"
import { readPurl } from "./purl.ts"
import type { Reading } from "./sender.ts"
import { type DeploymentStatus, statusOf } from "./status.ts"

/**
 * CDEvents: github.com/cdevents/spec, continuous-deployment.md, of 0.1 to the draft of 0.6. `service.*` and
 * the draft's `deployment.*` are states of deployments; `environment.*` and everything else are not.
 */

const typeForm = /^dev\.cdevents\.([a-z]+)\.([a-z]+)(?:\.|$)/

/** Whether a type is one of CDEvents. */
export function isCdevent(type: unknown): boolean {
  return typeof type === "string" && type.startsWith("dev.cdevents.")
}

/** Whether a body has the two parts that each CDEvent has. */
export function hasCdeventForm(body: Fields): boolean {
  return isCdevent(fieldsOf(body["context"])["type"]) && "subject" in body
}

/** What a CDEvent says. */
export function readCdevent(body: Fields): Pick<Reading, "deployment" | "notice"> {
  const context = fieldsOf(body["context"])
  const subject = fieldsOf(body["subject"])
  const content = fieldsOf(subject["content"])
  const [, noun = "", verb = ""] = typeForm.exec(textOrNull(context["type"], 200) ?? "") ?? []
  const correlationId = textOrNull(context["chainId"], 128)
  const word = noun === "" ? null : `${noun}.${verb}`
  return {
    deployment: deploymentOf(noun, verb, context, subject, content),
    notice: {
      title: noticeTitle(word, content["name"] ?? subject["id"]),
      occurredAt: timeOf(context["timestamp"]),
      correlationId,
    },
  }
}

function deploymentOf(noun: string, verb: string, context: Fields, subject: Fields, content: Fields) {
  const status =
    noun === "service" ? serviceStates.get(verb) : noun === "deployment" ? stateOf(verb, content) : null
  if (status === undefined || status === null) return null
  const artifact = readPurl(content["artifactId"])
  const environment = fieldsOf(content["environment"])
  const service = firstLine(subject["id"], 200)
  return deploymentFrom({
    id: idOf(noun, context, subject, content),
    provider: "cdevents",
    status,
    project: noun === "service" ? service : (artifact?.name ?? service),
    repo: artifact?.repo ?? null,
    sha: artifact?.sha ?? null,
    environment: environment["name"] ?? environment["id"],
    url: environment["url"] ?? content["url"],
    occurredAt: timeText(context["timestamp"]),
    correlationId: context["chainId"],
  })
}

const serviceStates: ReadonlyMap<string, DeploymentStatus> = new Map([
  ["deployed", "success"],
  ["upgraded", "success"],
  ["published", "success"],
  ["rolledback", "rolled_back"],
  ["removed", "inactive"],
])

function stateOf(verb: string, { outcome }: Fields): DeploymentStatus | null {
  if (verb === "queued") return "queued"
  if (verb === "started") return "in_progress"
  return verb === "finished" && typeof outcome === "string" ? statusOf(outcome) : null
}

/**
 * A subject's id is unique within its source, which is the event's where it has none. A service outlives
 * its deployments: they are told apart by where it runs and by what runs there.
 */
function idOf(noun: string, context: Fields, subject: Fields, content: Fields): string | null {
  const id = firstLine(subject["id"], 1024)
  if (id === null) return null
  const source = firstLine(subject["source"], 1024) ?? firstLine(context["source"], 1024) ?? ""
  const parts = [source.replace(/^\/+|\/+$/g, ""), id]
  if (noun === "service") {
    parts.push(firstLine(fieldsOf(content["environment"])["id"], 1024) ?? "")
    parts.push(firstLine(content["artifactId"], 2048) ?? "")
  }
  const joined = parts.filter((part) => part !== "").join("/")
  return joined.length <= maxIdChars ? joined : bodyKey(Buffer.from(joined))
}

const maxIdChars = 200 // as the schema has it
