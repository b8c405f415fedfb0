import { setImmediate as nextTurn } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import type { Log } from "../../src/core/log.ts"
import type { Normalized } from "../../src/core/platform.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import type { RuleDefinition } from "../../src/correlation/rule.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createDerive } from "../../src/processing/derive.ts"
import { newEvent } from "../processing/support.ts"
import { pullRequest, timeAt } from "./deliveries.ts"
import { eventOf, normalizedOf, shortLinks } from "./support.ts"

const incident = "custom:incident:7"
const issue = "linear:issue:ENG-123"

const caused: RuleDefinition = {
  name: "incident_caused_by",
  version: 3,
  on: "custom",
  find: () => [{ to: issue, relation: "caused_by" }],
}

/** What comes of an incident's event under these rules, and what the log was told. */
function run(rules: readonly RuleDefinition[], given: Partial<Normalized> = {}, body = "{}") {
  const told: { fields: object; message: string }[] = []
  const note = (fields: object, message: string) => void told.push({ fields, message })
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log }
  const correlation = createCorrelation({ platforms, log })
  for (const rule of rules) correlation.rule(rule)
  const normalized = normalizedOf({ type: "incident.opened", entity: incident, ...given })
  const event = eventOf(normalized, { platform: "custom", raw: Buffer.from(body) })
  return { ...correlation.correlate(event, normalized), correlation, event, normalized, told }
}

/** What a platform makes of an event that names an issue, at a time of its own. */
const naming = (): Partial<Normalized> => ({
  texts: [{ field: "body", format: "plain", text: "about ENG-123" }],
  occurredAt: new Date(5),
})

const answering = (answer: unknown): RuleDefinition => ({
  ...caused,
  // What a rule written in JavaScript may answer.
  find: (() => answer) as RuleDefinition["find"],
})

describe("a rule of one's own", () => {
  it("makes links with its name and version, weak and sure unless it says otherwise", () => {
    expect(run([caused]).links).toEqual([
      {
        from: incident,
        to: issue,
        relation: "caused_by",
        rule: "incident_caused_by",
        ruleVersion: 3,
        strength: "weak",
        confidence: 1,
        evidence: { field: "type", text: "incident.opened" },
      },
    ])
  })

  it("reads the payload, what the platform made of it, and the references", () => {
    const rule: RuleDefinition = {
      name: "all",
      version: 1,
      find: (event, normalized, references) => {
        const { issue: named } = event.payload as { issue: string }
        return [
          {
            from: references[0]?.subject ?? "",
            to: `linear:issue:${named}`,
            relation: "names",
            strength: "weak",
            confidence: 0.25,
            evidence: { field: "issue", text: named, start: 0, end: named.length },
          },
          { to: references[0]?.entity ?? "", relation: normalized.title ?? "" },
        ]
      },
    }
    const { links, failures } = run(
      [rule],
      {
        title: "about",
        references: [{ entity: issue, relation: "mentions", evidence: { field: "f", text: "t" } }],
      },
      '{"issue":"eng-7"}',
    )
    expect(failures).toEqual([])
    expect(links.filter((link) => link.rule === "all")).toEqual([
      expect.objectContaining({
        from: incident,
        to: "linear:issue:ENG-7", // keys are brought into their one form
        strength: "weak",
        confidence: 0.25,
        evidence: { field: "issue", text: "eng-7", start: 0, end: 5 },
      }),
      expect.objectContaining({ from: incident, to: issue, relation: "about" }),
    ])
  })

  it.each([
    [undefined, true],
    ["custom", true],
    ["custom.*", true],
    ["incident.*", true],
    ["*", true],
    ["github", false],
    ["github.*", false],
    ["incident.closed", false],
    [["github", "incident.opened"], true],
  ])("on %j reads a custom event: %s", (on, reads) => {
    const { on: _, ...rest } = caused
    const rule = on === undefined ? rest : { ...rest, on }
    expect(run([rule]).links).toHaveLength(reads ? 1 : 0)
  })

  it("that throws makes no link, is told by name, and stops nothing else", () => {
    const cause = new Error("no such field")
    const broken: RuleDefinition = {
      name: "broken",
      version: 2,
      find: () => {
        throw cause
      },
    }
    const { links, failures, told, event } = run([broken, caused])
    expect(shortLinks({ links })).toEqual([`${incident} -caused_by-> ${issue} (weak, incident_caused_by)`])
    expect(failures).toEqual([{ rule: "broken", ruleVersion: 2, error: cause }])
    expect(told).toEqual([
      {
        fields: {
          rule: "broken",
          ruleVersion: 2,
          eventId: event.id,
          type: "incident.opened",
          failures: 1,
          err: cause,
        },
        message: "correlation rule broken failed; the event goes on without its links",
      },
    ])
  })

  it.each<[string, (...given: Parameters<RuleDefinition["find"]>) => void]>([
    ["the payload", ({ payload }) => ((payload as { issues: string[] }).issues[0] = "ENG-2")],
    ["what it is given of the event", (event) => (event.title = "other")],
    ["headers", ({ headers }) => ((headers as Record<string, string>)["x"] = "y")],
    ["the time of the event", ({ receivedAt }) => receivedAt.setFullYear(1970)],
    ["what the platform made of it", (_, normalized) => (normalized.entity = "custom:other:1")],
    ["a text of it", (_, { texts }) => texts.pop()],
    ["its time", (_, { occurredAt }) => occurredAt.setTime(0)],
    ["the references", (_, __, references) => ((references as unknown[]).length = 0)],
    ["the evidence of one", (_, __, [reference]) => void (reference && (reference.evidence.text = "x"))],
  ])("that writes to %s fails, and changes nothing of what others see", (_, write) => {
    const writer: RuleDefinition = {
      ...caused,
      name: "writer",
      find: (event, normalized, references) => {
        write(event, normalized, references)
        return []
      },
    }
    const reader: RuleDefinition = {
      ...caused,
      name: "reader",
      find: (event, normalized, references) => {
        seen.push(structuredClone({ event: { ...event, raw: null }, normalized, references }))
        return []
      },
    }
    const seen: object[] = []
    const body = '{"issues":["ENG-1"]}'
    const { failures, normalized, event, references } = run(
      [reader, writer, { ...reader, name: "last" }],
      naming(),
      body,
    )
    expect(failures).toMatchObject([{ rule: "writer", error: { name: "TypeError" } }])
    expect(String(failures[0]?.error)).toMatch(/read.only|not extensible|Cannot delete/)
    expect(seen[1]).toEqual(seen[0])
    expect(normalized).toEqual(normalizedOf({ type: "incident.opened", entity: incident, ...naming() }))
    expect(event).toMatchObject({ title: null, headers: {}, receivedAt: new Date(5) })
    expect(references).toMatchObject([{ entity: issue, evidence: { text: "ENG-123" } }])
  })

  it("that writes to the bytes of the body writes to its own copy", () => {
    const writer: RuleDefinition = {
      ...caused,
      find: ({ raw }) => {
        raw.fill(0)
        return []
      },
    }
    const { failures, event } = run([writer])
    expect([failures, String(event.raw)]).toEqual([[], "{}"])
  })

  it.each([
    ["a promise of links", () => Promise.reject(new Error("gone"))],
    ["promises among links", () => [Promise.reject(new Error("gone"))]],
    ["a promise within a link", () => [{ to: Promise.reject(new Error("gone")), relation: "r" }]],
  ])("that answers %s which is never kept fails as a rule, and not as a process", async (_, answer) => {
    const unheard: unknown[] = []
    const hear = (reason: unknown) => void unheard.push(reason)
    process.on("unhandledRejection", hear)
    try {
      const { links, failures } = run([answering(answer()), { ...caused, name: "other" }])
      await nextTurn() // rejections that nobody took are told at the end of a turn
      expect(failures.map(({ rule }) => rule)).toEqual(["incident_caused_by"])
      expect(links).toHaveLength(1)
      expect(unheard).toEqual([])
    } finally {
      process.off("unhandledRejection", hear)
    }
  })

  it("that reads a body which is no JSON fails alone", () => {
    const rule: RuleDefinition = { ...caused, name: "reader", find: (event) => [event.payload] as never }
    const { links, failures } = run([rule, caused], {}, "{")
    expect(failures.map(({ rule: name }) => name)).toEqual(["reader"])
    expect(links).toHaveLength(1)
  })

  it("that fails on every event does not fill the log", () => {
    const { correlation, event, normalized, told } = run([answering(null)])
    for (let n = 1; n < 100; n++) correlation.correlate(event, normalized)
    expect(told.map(({ fields }) => (fields as { failures: number }).failures)).toEqual([
      1, 2, 4, 8, 16, 32, 64,
    ])
  })

  it.each([
    [undefined, "find must return an array"],
    [Promise.resolve([]), "find must return an array"],
    [[null], "link 0 is not an object"],
    [[{ to: issue, relation: "r" }, { relation: "r" }], "link 1 to is not an entity key"],
    [[{ to: "ENG-123", relation: "r" }], "link 0 to is not an entity key"],
    [[{ from: "", to: issue, relation: "r" }], "link 0 from is not an entity key"],
    [[{ to: incident, relation: "r" }], `link 0 links ${incident} to itself`],
    [[{ to: issue }], "link 0 relation must be lower snake case"],
    [[{ to: issue, relation: "Caused by" }], "link 0 relation must be lower snake case"],
    [[{ to: issue, relation: "r", strength: "medium" }], "link 0 strength must be"],
    [[{ to: issue, relation: "r", confidence: 1.1 }], "link 0 confidence must be"],
    [[{ to: issue, relation: "r", confidence: Number.NaN }], "link 0 confidence must be"],
    [[{ to: issue, relation: "r", confidence: "high" }], "link 0 confidence must be"],
    [[{ to: issue, relation: "r", evidence: "because" }], "link 0 evidence must have"],
    [
      [{ to: issue, relation: "r", strenght: "strong" }],
      "link 0 is wrong: unknown member strenght; known: from, to, relation, strength, confidence, evidence, document; did you mean strength?",
    ],
    [
      [{ to: issue, relation: "r", evidence: { field: "title", text: "x", begin: 0 } }],
      "link 0 is wrong: evidence: unknown member begin;",
    ],
    [[{ to: issue, relation: "r", evidence: { field: "f", text: "abc", start: 0, end: 2 } }], "offsets"],
    [[{ to: issue, relation: "r", evidence: { field: "f", text: "abc", start: -3, end: 0 } }], "offsets"],
    [
      Array.from({ length: 201 }, () => ({ to: issue, relation: "r" })),
      "201 links of one event; at most 200",
    ],
  ])("that answers %j fails with what is wrong", (answer, reason) => {
    const { links, failures } = run([answering(answer)])
    expect(links).toEqual([])
    expect(failures).toHaveLength(1)
    expect(String(failures[0]?.error)).toContain(reason)
  })

  it("must say from where a link leads, if the event is about nothing", () => {
    const { failures } = run([caused], { entity: null })
    expect(String(failures[0]?.error)).toContain("has no from, and the event is about no entity")
    expect(
      run([answering([{ from: incident, to: issue, relation: "r" }])], { entity: null }).links,
    ).toHaveLength(1)
  })

  it("shows an edge once an event, by its surest sign", () => {
    const answer = [
      { to: issue, relation: "r", strength: "weak", confidence: 1 },
      { to: issue, relation: "r", strength: "strong", confidence: 0.2 },
      { to: issue, relation: "r", strength: "strong", confidence: 0.4 },
      {
        to: issue,
        relation: "r",
        strength: "strong",
        confidence: 0.4,
        evidence: { field: "f", text: "second" },
      },
    ]
    expect(run([answering(answer)]).links).toEqual([
      expect.objectContaining({
        strength: "strong",
        confidence: 0.4,
        evidence: { field: "type", text: "incident.opened" },
      }),
    ])
  })
})

describe("the thing whose field shows a link, where the rule does not say", () => {
  const comment = "github:comment:acme/api/9"
  const at = new Date(0)
  const states = [
    { entity: comment, at, fields: { comment: "x", body: "x" } },
    { entity: incident, at, fields: { body: "Board 7", state: "open" } },
    { entity: "github:commit:x", at, fields: { sha: "x" } },
    { entity: "github:commit:y", at, fields: { sha: "y" } },
  ]
  const shownBy = (evidence: object, given: Partial<Normalized> = {}) =>
    run([answering([{ to: "custom:board:7", relation: "on_board", evidence }])], { states, ...given })
      .links.filter(({ relation }) => relation === "on_board")
      .map(({ document }) => document)

  it("is what the event is about, if the event says how that field of it stands", () => {
    expect(shownBy({ field: "body", text: "Board 7", start: 0, end: 7 })).toEqual([incident])
    expect(shownBy({ field: "body", text: "Board 7" }, { entity: "Custom:Incident:7" })).toEqual([incident])
  })

  it("is else the one thing of the event that has such a field", () => {
    expect(shownBy({ field: "comment", text: "x" })).toEqual([comment])
    expect(shownBy({ field: "sha", text: "x" })).toEqual([undefined])
    expect(shownBy({ field: "title", text: "x" })).toEqual([undefined])
    expect(shownBy({ field: "body", text: "x" }, { states: [] })).toEqual([undefined])
  })

  it("is the one with the reference of the same evidence before all others", () => {
    const evidence = { field: "body", text: "ENG-1", start: 0, end: 5 }
    const references = [{ entity: "linear:issue:ENG-1", relation: "mentions", evidence, document: comment }]
    expect(shownBy(evidence, { references })).toEqual([comment])
  })

  it("withdraws the link when it says otherwise: the link's row tells when it said so", () => {
    const board = answering([
      { to: "custom:board:7", relation: "on_board", evidence: { field: "body", text: "7" } },
    ])
    const { correlation } = run([{ ...board, on: "github.pull_request.*" }])
    const { headers, payload } = pullRequest("opened", 1, { body: "Board 7" })
    const event = newEvent(payload, {
      platform: "github",
      headers,
      name: "pull_request",
      type: "github.pull_request.opened",
    })
    const blank = { actor: null, entity: null, title: null, url: null, occurredAt: null }
    const { linkRows } = createDerive(platforms, correlation.correlate)(
      { ...event, ...blank, backfilled: false },
      1,
    )
    const rows = linkRows.map((row) => JSON.parse(row) as Record<string, unknown>)
    expect(rows.filter(({ relation }) => relation === "on_board")).toMatchObject([
      { document: "github:pull_request_id:7#42", field: "body", stated_at: timeAt(1) },
    ])
  })
})

describe("a definition is refused", () => {
  it.each([
    [{ name: "" }, "its name must be"],
    [{ name: "Caps" }, "its name must be"],
    [{ name: "a".repeat(65) }, "its name must be"],
    [{ name: "mention" }, "exists already"],
    [{ version: 0 }, "its version must be"],
    [{ version: 1.5 }, "its version must be"],
    [{ on: "" }, "neither a platform nor a type pattern"],
    [{ on: "GitHub" }, "neither a platform nor a type pattern"],
    [{ on: "github." }, "neither a platform nor a type pattern"],
    [{ on: [] }, "its on must name"],
    [{ on: [3 as unknown as string] }, "neither a platform nor a type pattern"],
    [{ on: "gihub" }, 'on "gihub" reads nothing, since there is no such platform: did you mean "github"?'],
    [
      { on: ["custom", "incidents"] },
      'on "incidents" reads nothing, since there is no such platform: it is one of github, linear, slack, deployment, custom, postgres; a type has further words, "incidents.*"',
    ],
    [{ find: undefined as unknown as RuleDefinition["find"] }, "its find must be a function"],
    [
      { find: undefined as unknown as RuleDefinition["find"], finds: () => [] },
      'its find must be a function (did you mean its "finds" to be it?)',
    ],
  ])("with %j", (given, reason) => {
    expect(() => run([{ ...caused, ...given }])).toThrow(reason)
    expect(() => run([{ ...caused, ...given }])).toThrow(
      expect.objectContaining({ code: "configuration" }) as Error,
    )
  })

  it("with a member that is misspelt, by which it would read every event", () => {
    const { name, version, find } = caused
    const On = "github.pull_request.*"
    expect(() => run([Object.assign({ name, version, find }, { On })])).toThrow(
      'correlation rule "incident_caused_by": unknown member On; did you mean on?',
    )
  })

  it("but not for what its find has of its own", () => {
    const { name, version, find } = caused
    expect(() => run([Object.assign({ name, version, find }, { no: /x/, title: "Causes" })])).not.toThrow()
  })

  it("when its name is taken", () => {
    expect(() => run([caused, { ...caused, version: 4 }])).toThrow("exists already")
  })
})
