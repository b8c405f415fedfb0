import { z } from "zod"

const answer = z.object({ entity: z.string(), summary: z.string() })

/** How an entity stands and where it is live: `linear:issue:ENG-123: merged, live in production since …`. */
export async function statusInOneLine(url: string, key: string, entity: string): Promise<string> {
  const response = await fetch(`${url}/api/v1/entities/${encodeURIComponent(entity)}/status`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const status = answer.parse(await response.json())
  return `${status.entity}: ${status.summary}`
}
