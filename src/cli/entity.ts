import { readEntityName, type EntityName } from "../core/entity-name.ts"
import { entityFromUrl } from "../platforms/entity-from-url.ts"
import { platforms } from "../platforms/index.ts"
import type { CommandContext } from "./command.ts"
import { requestHub } from "./remote.ts"

/** What stands for an entity in a command's usage. */
export const entityUsage = "ENG-123|'acme/api#42'|SHA|URL|KEY"

/** Reads a name as every command takes it; see `readEntityName`. */
export function readName(text: string): EntityName {
  return readEntityName(text, entityFromUrl(platforms))
}

/** The key of what a name means; asks the hub where more than one thing may be meant. */
export async function keyOf(context: CommandContext, text: string): Promise<string> {
  const name = readName(text)
  if ("keys" in name && name.keys.length === 1) return name.keys[0]
  const response = await requestHub(
    context,
    `/api/v1/entities?${new URLSearchParams({ name: text }).toString()}`,
  )
  const { key }: { key: string } = JSON.parse(await response.text())
  return key
}
