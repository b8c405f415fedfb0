import type { EntityFromUrl } from "../core/entity-name.ts"
import type { Platform } from "../core/platform.ts"

/** Asks each platform in turn what is behind an address. */
export function entityFromUrl(platforms: readonly Platform[]): EntityFromUrl {
  return (url) => {
    for (const platform of platforms) {
      const key = platform.entityFromUrl?.(url) ?? null
      if (key !== null) return key
    }
    return null
  }
}
