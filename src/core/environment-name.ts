const words: ReadonlyMap<string, string> = new Map(
  Object.entries({
    production: "production prod prd live",
    staging: "staging stage stg uat preprod preproduction acceptance",
    preview: "preview previews review pr mr ephemeral branch",
    development: "development dev develop local sandbox",
    test: "test testing qa integration e2e",
  }).flatMap(([kind, list]) => list.split(" ").map((word) => [word, kind] as const)),
)

/** The kind of environment that a word in lower case stands for (`prod` is `production`); null where it is none. */
export function environmentOfWord(word: string): string | null {
  return words.get(word) ?? null
}

/**
 * One name for an environment however it is written: in lower case, and `production` for `Prod`. One that
 * is not named is called by its kind.
 */
export function environmentName(environment: string | null, kind: string | null): string {
  const name = environment?.trim().toLowerCase() ?? ""
  if (name === "") return kind ?? "unknown"
  return environmentOfWord(name) ?? name
}
