import { collectDefaultMetrics, Registry } from "prom-client"

let registry: Registry | undefined

/**
 * The figures of Node and of the process itself, however many hubs it runs: memory, processor time, the event
 * loop, garbage collection. They are watched from the first question on.
 */
export async function processDefaults(): Promise<string> {
  if (registry === undefined) {
    registry = new Registry()
    collectDefaultMetrics({ register: registry })
  }
  return registry.metrics()
}
