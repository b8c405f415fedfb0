import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parser } from "@prometheus-io/lezer-promql"
import { beforeAll, describe, expect, it } from "vitest"
import { parse as parseYaml } from "yaml"
import { z } from "zod"
import { startTestHub, until } from "../support/hub.ts"
import { readPrometheus } from "../support/prometheus-text.ts"

const root = new URL("../../", import.meta.url)
const pathOf = (file: string) => fileURLToPath(new URL(file, root))
const textOf = (file: string) => readFileSync(pathOf(file), "utf8")

const rulesFile = z.object({
  groups: z.array(
    z.object({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Signalbox[A-Za-z]+$/),
          expr: z.string(),
          for: z
            .string()
            .regex(/^\d+[smh]$/)
            .optional(),
          labels: z.strictObject({ severity: z.enum(["info", "warning", "critical"]) }),
          annotations: z.strictObject({ summary: z.string() }),
        }),
      ),
    }),
  ),
})
const place = z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() })
const dashboardFile = z.object({
  panels: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      gridPos: place,
      targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).optional(),
    }),
  ),
  templating: z.object({ list: z.array(z.object({ name: z.string() })) }),
})

const rules = rulesFile
  .parse(parseYaml(textOf("deploy/prometheus/signalbox-alerts.yml")))
  .groups.flatMap((group) => group.rules)
const dashboard = dashboardFile.parse(JSON.parse(textOf("deploy/grafana/signalbox.json")))
const panels = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ name: title, expr, shown: legendFormat })),
)
const expressions = [
  ...rules.map(({ alert, expr, annotations }) => ({ name: alert, expr, shown: annotations.summary })),
  ...panels,
]
/** Added by Prometheus itself. */
const ofPrometheus = ["job", "instance", "le"]

/** Metrics and labels that an expression names; throws where it is no PromQL. */
function namesIn(expr: string): { metrics: Set<string>; labels: Set<string> } {
  const text = expr.replaceAll("$__rate_interval", "5m")
  const metrics = new Set<string>()
  const labels = new Set<string>()
  parser.parse(text).iterate({
    enter: ({ type, name, from, to }) => {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${text}`)
      if (name === "Identifier") metrics.add(text.slice(from, to))
      if (name === "LabelName") labels.add(text.slice(from, to))
    },
  })
  return { metrics, labels }
}

const labelsOf = new Map<string, Set<string>>()

beforeAll(async () => {
  const hub = await startTestHub({ env: { NATS_URL: "nats://127.0.0.1:9" } })
  const { work } = hub.database
  await work.query(
    `with made as (insert into stream_subscriptions (tenant, name, kind, stream, status)
       values ('default', 'hook', 'webhook', 'all_events', 'paused') returning id)
     insert into subscription_partitions (subscription_id, partition, position) select id, 0, 0 from made`,
  )
  await work.query(
    `with made as (insert into sources (platform, name, version) values ('github', 'checked', 1) returning id, tenant)
     insert into source_completeness (source_id, tenant, complete_through) select id, tenant, now() from made`,
  )
  await work.query(
    "insert into stream_subscriptions (tenant, name, kind, stream) values ('default', 'gone', 'handler', 'all_events')",
  )
  const gate = new AbortController()
  const headers = { "accept-encoding": "identity" }
  await hub.request("/api/v1/events/stream", { headers, signal: gate.signal })
  await hub.hub.submitCustomEvent({ type: "thing.happened" })
  const text = await until(
    async () => (await hub.request("/metrics")).text(),
    (page) =>
      /^signalbox_event_processing_seconds_count/m.test(page) &&
      /^nodejs_gc_duration_seconds_count/m.test(page) &&
      /^signalbox_source_complete_through_age_seconds/m.test(page),
    30_000,
  )
  gate.abort()
  labelsOf.set("up", new Set())
  labelsOf.set("signalbox_events_dead_total", new Set(["platform"])) // told from the first one on
  for (const { name, labels } of readPrometheus(text)) {
    const known = labelsOf.get(name) ?? new Set()
    for (const label of Object.keys(labels)) known.add(label)
    labelsOf.set(name, known)
  }
}, 60_000)

it.each(expressions)("$name asks for metrics and labels that a hub tells: $expr", ({ expr, shown }) => {
  const { metrics, labels } = namesIn(expr)
  expect(metrics.size).toBeGreaterThan(0)
  expect([...metrics].filter((metric) => !labelsOf.has(metric))).toEqual([])
  const known = new Set([...ofPrometheus, ...[...metrics].flatMap((metric) => [...labelsOf.get(metric)!])])
  expect([...labels].filter((label) => !known.has(label))).toEqual([])
  const inText = [...shown.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map(([, label = ""]) => label)
  expect(inText.filter((label) => !known.has(label))).toEqual([])
})

it("an expression that is wrong, or names what is nowhere, is found", () => {
  expect(() => namesIn("sum by (le (rate(x[5m]))")).toThrow("no PromQL")
  expect(namesIn('max by (tenant) (signalbox_nosuch{kind="x"})')).toEqual({
    metrics: new Set(["signalbox_nosuch"]),
    labels: new Set(["tenant", "kind"]),
  })
})

describe("docs/monitoring.md", () => {
  const page = textOf("docs/monitoring.md")

  it("has every metric of the hub, and none that is not told", () => {
    const named = new Set([...page.matchAll(/`(signalbox_\w+)/g)].map(([, name]) => name))
    const told = [...labelsOf.keys()]
      .filter((name) => name.startsWith("signalbox_"))
      .map((name) => name.replace(/_(bucket|sum|count)$/, ""))
    expect(named).toEqual(new Set(told))
  })

  it("says what to do at every alert", () => {
    const named = new Set([...page.matchAll(/^\| `(Signalbox\w+)`/gm)].map(([, name]) => name))
    expect(named).toEqual(new Set(rules.map(({ alert }) => alert)))
  })

  it("names the files that are there", () => {
    const files = ["prometheus", "grafana"].flatMap((folder) =>
      readdirSync(pathOf(`deploy/${folder}`)).map((file) => `deploy/${folder}/${file}`),
    )
    expect(files.filter((file) => !page.includes(file))).toEqual([])
  })
})

it("what Prometheus is told to scrape is there, with the rules beside it", () => {
  const config = z
    .object({
      rule_files: z.array(z.string()),
      scrape_configs: z.tuple([
        z.object({
          job_name: z.literal("signalbox"),
          metrics_path: z.literal("/metrics"),
          authorization: z.object({ type: z.literal("Bearer"), credentials_file: z.string() }),
        }),
      ]),
    })
    .parse(parseYaml(textOf("deploy/prometheus/prometheus.yml")))
  expect(readdirSync(pathOf("deploy/prometheus"))).toEqual(expect.arrayContaining(config.rule_files))
})

it("panels of the dashboard overlap nowhere, and each has an id of its own", () => {
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)}/${y + Math.floor(at / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  expect(dashboard.templating.list.map(({ name }) => name)).toEqual(["datasource", "job", "instance"])
})
