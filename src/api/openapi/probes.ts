import { z } from "zod"
import type { RouteDescription } from "../../core/route-description.ts"

const ready = z.looseObject({
  status: z.enum(["ready", "unready"]),
  database: z.string(),
  waiting: z.array(z.string()).exactOptional().describe("The parts that are not ready."),
  problems: z
    .array(z.string())
    .exactOptional()
    .describe("What goes badly, and is no reason not to be ready."),
})

/** What anybody may ask of a process. */
export const probeRouteDescriptions: RouteDescription[] = [
  {
    method: "get",
    path: "/healthz",
    group: "Probes",
    summary: "Whether the process answers",
    scope: null,
    answers: { 200: { words: "It does.", schema: z.object({ status: z.literal("ok") }) } },
  },
  {
    method: "get",
    path: "/readyz",
    group: "Probes",
    summary: "Whether the process can do its work, and how each of its parts does",
    scope: null,
    answers: {
      200: { words: "It can.", schema: ready },
      503: { words: "It cannot now.", schema: ready },
    },
  },
  {
    method: "get",
    path: "/openapi.json",
    group: "Documentation",
    summary: "This document",
    scope: null,
    answers: { 200: { words: "OpenAPI 3.1.", schema: z.looseObject({ openapi: z.string() }) } },
  },
  {
    method: "get",
    path: "/docs",
    group: "Documentation",
    summary: "This document, for people",
    scope: null,
    answers: { 200: { words: "A page.", mediaType: "text/html", schema: z.string() } },
  },
]
