import type { TestHub } from "../../support/hub.ts"

/** A position of a partition, as the API writes it. */
export interface Place {
  partition: number
  generation: number
  position: number
}

/** What a fetch answers. */
export interface Fetched {
  events: {
    partition: number
    event: { id: string; position: number; entity: string | null; type: string }
  }[]
  positions: Place[]
  revoking: number[]
  gaps: { partition: number; from: number; to: number }[]
  version: string
}

/** A member that a test moves by hand. */
export interface HandMember {
  id: string
  path: string
  fetch(query?: string): Promise<Fetched>
  commit(positions: readonly Place[], release?: readonly Omit<Place, "position">[]): Promise<number>
  heartbeat(query?: string): Promise<{ version: string; assignments: Place[]; revoking: number[] }>
  leave(): Promise<number>
}

/** Makes a group and answers its path. */
export async function makeGroup(hub: TestHub, name: string, settings: object = {}): Promise<string> {
  const { status, body } = await hub.json("/api/v1/consumer-groups", {
    method: "POST",
    body: JSON.stringify({ name, ...settings }),
  })
  if (status !== 201) throw new Error(`no group: ${JSON.stringify(body)}`)
  return `/api/v1/consumer-groups/${name}`
}

/** Joins a group. */
export async function joinGroup(hub: TestHub, group: string, name = "test"): Promise<HandMember> {
  const joined = await hub.json(`${group}/members`, { method: "POST", body: JSON.stringify({ name }) })
  if (joined.status !== 201) throw new Error(`not let in: ${JSON.stringify(joined.body)}`)
  const id: string = joined.body.member
  const path = `${group}/members/${id}`
  return {
    id,
    path,
    fetch: async (query = "wait=0") => ok(hub.json(`${path}/events?${query}`)),
    heartbeat: async (query = "") => ok(hub.json(`${path}/heartbeat?${query}`, { method: "POST" })),
    commit: async (positions, release = []) => {
      const body = JSON.stringify({ positions, release })
      return (await hub.json(`${path}/commit`, { method: "POST", body })).status
    },
    leave: async () => (await hub.json(path, { method: "DELETE" })).status,
  }
}

async function ok<T>(answer: Promise<{ status: number; body: T }>): Promise<T> {
  const { status, body } = await answer
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`)
  return body
}

/** Places as the parameter `after` takes them. */
export function afterOf(places: readonly Place[]): string {
  return places.map(({ partition, generation, position }) => `${partition}:${generation}:${position}`).join()
}
