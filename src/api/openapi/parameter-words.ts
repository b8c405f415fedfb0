/** What parameters are that mean the same at every route; a route may say it otherwise. */
export const parameterWords: Readonly<Record<string, string>> = {
  limit: "How many to answer at most.",
  cursor: "The `nextCursor` of the page before; the first page without it.",
  asOf: "Answers by what was known to the hub at that time: RFC 3339, or a date for its beginning in UTC.",
  since: "Not before this time (RFC 3339).",
  until: "Before this time (RFC 3339).",
  key: "Canonical key of an entity, as one percent-encoded segment: `linear:issue:ENG-123`, `github%3Apull_request%3Aacme%2Fapi%2342`.",
  platform: "`github`, `linear`, `slack`, `deployment`, `custom` or `postgres`.",
  filter:
    'Which events are wanted, as the JSON of a filter: `{"platforms":["github"],"types":["github.pull_request.*"]}`. Its lists may also stand as parameters of their own.',
  platforms: "Platforms, comma-separated.",
  types:
    "Types of events, comma-separated; `*` stands for one word, at the end for one or more, and `**` for any number: `github.pull_request.*`.",
  entities: "Keys of entities that an event is about or refers to, comma-separated.",
  actors: "Ids or names of those who did it, comma-separated.",
  sources: "Names of sources, comma-separated.",
  priority: "`critical`, `high`, `normal` or `low`, comma-separated.",
}
