import { z } from "zod"

/** Webhook subscriptions of a hub under test, through its API. */
export interface DeliveryApi {
  /** Makes one that is paused, from the head of the log on; answers its id. */
  subscribe(settings: { name: string; url: string } & Readonly<Record<string, unknown>>): Promise<string>
  resume(id: string): Promise<void>
  remove(id: string): Promise<void>
}

const made = z.object({ id: z.string() })

/** The API of the hub on a port of this machine. */
export function deliveryApi(port: number, key: string): DeliveryApi {
  async function call(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/subscriptions${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} was answered with ${response.status}: ${text}`)
    return text === "" ? undefined : JSON.parse(text)
  }
  return {
    async subscribe(settings) {
      const { id } = made.parse(await call("POST", "", settings))
      await call("POST", `/${id}/pause`)
      return id
    },
    resume: async (id) => void (await call("POST", `/${id}/resume`)),
    remove: async (id) => void (await call("DELETE", `/${id}`)),
  }
}
