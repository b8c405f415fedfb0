import type { Actor } from "../../core/envelope.ts"
import type {
  InboundRequest,
  Message,
  Part,
  Secret,
  TestDelivery,
  Verification,
} from "../../core/platform.ts"
import type { Deployment } from "./schema.ts"

/** What a delivery says, in our words. */
export interface Reading {
  /** The sender's own name for what happened (`deployment.succeeded`); null where the body is in our own form. */
  word: string | null
  /**
   * What the delivery is known by, the same whenever the sender tries again; null where the sender names
   * nothing of the kind, and the body itself must do.
   */
  id: string | null
  /** Null where it tells of no state of a deployment. */
  deployment: Deployment | null
  /** Of what is no deployment. */
  notice?: Notice
}

/** The little that is said of an event that is no deployment. */
export interface Notice {
  title: string | null
  url?: string | null
  actor?: Actor | null
  occurredAt: Date | null
  correlationId?: string | null
}

/** A tool that tells of deployments in a way of its own. All members are pure. */
export interface Sender {
  /** Names it on a source: `vercel`. */
  name: string
  /** Says what is wrong with a secret, in words that show none of it; null for a sound one. */
  checkSecret(value: string): string | null
  /** Where the operator finds the secret, for senders that make it themselves. */
  secretOrigin?: string
  verify(request: InboundRequest, secrets: readonly Secret[]): Verification
  /**
   * Reads any body at all: what is verified is taken, whatever it says. Only where users write the body
   * themselves does it throw, a SignalboxError of status 400 that names the fault.
   */
  read(message: Message): Reading
  /** See Platform. */
  split?(message: Message, body: Buffer): readonly Part[] | null
  /** A signed delivery that says it is a test; see Platform. */
  test(secret: string, at: Date): TestDelivery
}
