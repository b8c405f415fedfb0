import type { Platform } from "../../../src/core/platform.ts"

export interface Registration {
  /** Folders of src/platforms. */
  folders: readonly string[]
  platforms: readonly Platform[]
  /** How many fixtures a platform has, and whether it has a signer. */
  fixturesOf: (name: string) => { count: number; signer: boolean }
}

/** One sentence for each platform that is not wholly there: a folder, a line in the list, fixtures, a signer. */
export function registrationProblems({ folders, platforms, fixturesOf }: Registration): string[] {
  const names = platforms.map(({ name }): string => name)
  return [
    ...folders
      .filter((folder) => !names.includes(folder))
      .map((folder) => `src/platforms/${folder} is not in src/platforms/index.ts`),
    ...names
      .filter((name) => !folders.includes(name))
      .map((name) => `${name} has no folder of its name in src/platforms`),
    ...names
      .filter((name, index) => names.indexOf(name) !== index)
      .map((name) => `${name} is in src/platforms/index.ts more than once`),
    ...names.flatMap((name) => {
      const { count, signer } = fixturesOf(name)
      return [
        ...(count > 0 ? [] : [`fixtures/${name} holds no fixture`]),
        ...(signer ? [] : [`fixtures/${name}/sign.ts is missing`]),
      ]
    }),
  ]
}
