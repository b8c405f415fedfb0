import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  type StreamInfo,
  type StreamUpdateConfig,
} from "@nats-io/jetstream"
import { nanos, type NatsConnection } from "@nats-io/transport-node"
import type { Log } from "../core/log.ts"
import type { StreamSettings } from "./settings.ts"
import type { SubjectNames } from "./subject.ts"

const defaultMaxAgeSeconds = 7 * 86_400
const duplicateWindowMs = 120_000

/**
 * Finds the stream, or makes it. Of one that is there, only what the settings name is changed: the rest is
 * whoever tends the server's. What the server refuses to change is told, and stays as it is.
 */
export async function ensureStream(
  jsm: JetStreamManager,
  { prefix, stream }: SubjectNames,
  settings: StreamSettings,
  { version, log }: { version: string; log: Log },
): Promise<StreamInfo> {
  const wanted = changesOf(settings, version, log)
  const found = await findStream(jsm, stream)
  if (found === undefined) {
    return jsm.streams.add({
      description: "The log of signalbox, in order; see docs/many-machines.md",
      max_age: nanos(1_000 * defaultMaxAgeSeconds),
      duplicate_window: nanos(duplicateWindowOf(settings)),
      ...(settings.storage === undefined ? {} : { storage: settings.storage }),
      ...wanted,
      name: stream,
      subjects: [`${prefix}.>`],
      allow_direct: true,
    })
  }
  const differs = Object.entries(wanted).some(([key, value]) => Reflect.get(found.config, key) !== value)
  if (settings.storage !== undefined && found.config.storage !== settings.storage) {
    log.warn({ stream }, `the stream keeps its storage (${found.config.storage}): JetStream cannot change it`)
  }
  if (!differs) return found
  try {
    return await jsm.streams.update(stream, wanted)
  } catch (error) {
    log.warn(
      { err: error, stream },
      "the stream could not be set as SIGNALBOX_NATS_… says, and stays as it is",
    )
    return found
  }
}

/** The stream as it stands; undefined where there is none. */
export async function findStream(jsm: JetStreamManager, stream: string): Promise<StreamInfo | undefined> {
  try {
    return await jsm.streams.info(stream)
  } catch (error) {
    const missing = error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound
    if (missing) return undefined
    throw error
  }
}

/** The version of the server that a connection leads to. */
export function serverVersion(connection: NatsConnection): string {
  return connection.info?.version ?? "0.0.0"
}

function changesOf(settings: StreamSettings, version: string, log: Log): Partial<StreamUpdateConfig> {
  const { replicas, compression, maxAgeSeconds, maxBytes } = settings
  const compresses = !isBefore(version, 2, 10)
  if (compression === "s2" && !compresses) {
    log.warn(
      { version },
      `NATS ${version} does not compress streams (2.10 does): the stream is not compressed`,
    )
  }
  return {
    ...(replicas === undefined ? {} : { num_replicas: replicas }),
    ...(maxAgeSeconds === undefined
      ? {}
      : { max_age: nanos(1_000 * maxAgeSeconds), duplicate_window: nanos(duplicateWindowOf(settings)) }),
    ...(maxBytes === undefined ? {} : { max_bytes: maxBytes }),
    ...(compression === undefined || !compresses ? {} : { compression: compression }),
  }
}

// No longer than messages are kept, which the server insists on.
function duplicateWindowOf({ maxAgeSeconds = defaultMaxAgeSeconds }: StreamSettings): number {
  return maxAgeSeconds === 0 ? duplicateWindowMs : Math.min(duplicateWindowMs, 1_000 * maxAgeSeconds)
}

function isBefore(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split(".").map(Number)
  return ownMajor < major || (ownMajor === major && ownMinor < minor)
}
