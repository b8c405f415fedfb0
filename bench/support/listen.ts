import type { Server } from "node:net"

/** Listens on a free port of this machine alone, and answers it. */
export async function listen(server: Pick<Server, "listen" | "address">): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve)
  })
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("not listening on a port")
  return address.port
}
