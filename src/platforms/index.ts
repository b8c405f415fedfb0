import type { Platform } from "../core/platform.ts"
import { custom } from "./custom/index.ts"
import { deployment } from "./deployment/index.ts"
import { github } from "./github/index.ts"
import { linear } from "./linear/index.ts"
import { slack } from "./slack/index.ts"

/** Every kind of sender that events come in from; a new platform is one line here. */
export const platforms: readonly Platform[] = [github, linear, slack, deployment, custom]

const byName: ReadonlyMap<string, Platform> = new Map(platforms.map((platform) => [platform.name, platform]))

/** The platform of a path segment, or undefined where there is none of that name. */
export function platformByName(name: string): Platform | undefined {
  return byName.get(name)
}
