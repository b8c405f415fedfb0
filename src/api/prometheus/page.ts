import { Counter, Gauge, Registry } from "prom-client"

type Labels = Readonly<Record<string, string>>
/** Values of one metric, each with its labels. */
export type Values = Iterable<readonly [Labels, number]>

/** A page of figures as they are at one moment. */
export interface Page {
  /** Something that goes up and down. Without values it is left out. */
  gauge(name: string, help: string, values: Values | number): void
  /** Something counted since a start; its name ends in `_total`. */
  counter(name: string, help: string, values: Values | number): void
  /** The page in Prometheus' text format. */
  text(): Promise<string>
}

/** Makes an empty page. */
export function createPage(): Page {
  const registry = new Registry()

  function definitionOf(name: string, help: string, values: readonly (readonly [Labels, number])[]) {
    return { name, help, labelNames: Object.keys(values[0]?.[0] ?? {}), registers: [registry] }
  }

  return {
    gauge: (name, help, given) => {
      const values = valuesOf(given)
      if (values.length === 0) return
      const gauge = new Gauge(definitionOf(name, help, values))
      for (const [labels, value] of values) gauge.set(labels, value)
    },
    counter: (name, help, given) => {
      const values = valuesOf(given)
      if (values.length === 0) return
      const counter = new Counter(definitionOf(name, help, values))
      for (const [labels, value] of values) counter.inc(labels, value)
    },
    text: () => registry.metrics(),
  }
}

function valuesOf(given: Values | number): readonly (readonly [Labels, number])[] {
  return typeof given === "number" ? [[{}, given]] : [...given]
}

/** Counts by a name, as values of one label. */
export function byLabel(label: string, counts: Readonly<Record<string, number>>): Values {
  return Object.entries(counts).map(([name, count]) => [{ [label]: name }, count])
}
