import { z } from "zod"

const link = z.object({
  from: z.string(),
  to: z.string(),
  relation: z.string(),
  rule: z.string(),
  confidence: z.number(),
  evidence: z.object({ field: z.string(), text: z.string() }),
})
const answer = z.object({
  events: z.array(
    z.object({
      occurredAt: z.string(),
      platform: z.string(),
      type: z.string(),
      entity: z.string().nullable(),
      title: z.string().nullable(),
    }),
  ),
  links: z.array(link),
})

/** Prints an entity's timeline and the links that hold it together, each with its evidence. */
export async function printTimeline(
  url: string,
  key: string,
  entity: string,
  print: (line: string) => void,
): Promise<void> {
  const response = await fetch(`${url}/api/v1/entities/${encodeURIComponent(entity)}/timeline?limit=500`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const { events, links } = answer.parse(await response.json())
  print(`\nThe timeline of ${entity}, by the senders' clocks:\n`)
  for (const event of events) {
    const time = event.occurredAt.slice(11, 19)
    print(
      `  ${time}  ${event.platform.padEnd(10)}  ${event.type.padEnd(38)}  ${event.title ?? event.entity ?? ""}`,
    )
  }
  print("\nWhat holds it together:\n")
  for (const { from, to, relation, rule, confidence, evidence } of links) {
    print(`  ${short(from)} ${relation} ${short(to)}`)
    print(`      ${rule} (${confidence}): ${evidence.field} says ${JSON.stringify(oneLine(evidence.text))}`)
  }
}

function short(entity: string): string {
  return entity.replace(/^(github:commit:.{10}).*/, "$1")
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ")
  return line.length > 70 ? `${line.slice(0, 69)}…` : line
}
