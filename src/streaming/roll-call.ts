import { randomBytes } from "node:crypto"
import { hostname } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { SignalboxError } from "../core/errors.ts"
import type { Log } from "../core/log.ts"
import { uuidv7 } from "../core/uuid.ts"
import { streamQuestion, type AskStreams, type StreamQuestion } from "../core/stream-question.ts"
import type { Db } from "../store/database.ts"
import {
  answerStreamQuestion,
  askStreamNodes,
  beatStreamNode,
  countStreamAnswers,
  maxQuestionBytes,
  removeStreamNode,
  takeStreamAnswers,
} from "../store/stream-nodes.ts"

const message = z.object({ id: z.uuid(), question: streamQuestion })

/** Asks all processes that serve streams about theirs, and answers for this one. */
export interface RollCall {
  ask: AskStreams
  /** Takes a question as it was heard. */
  hear(text: string): void
  start(): void
  stop(): Promise<void>
}

export interface RollCallOptions {
  db: Db
  answer: (question: StreamQuestion) => unknown
  log: Log
  /** How long answers are waited for (2 s). */
  patienceMs?: number
}

const beatMs = 5_000

/** Makes the roll call of a process. */
export function createRollCall({ db, answer, log, patienceMs = 2_000 }: RollCallOptions): RollCall {
  const node = `${hostname()}/${process.pid}/${randomBytes(3).toString("hex")}`
  let timer: NodeJS.Timeout | undefined
  let last: Promise<unknown> = Promise.resolve()

  function beat(): void {
    last = beatStreamNode(db, node).catch((error: unknown) => {
      log.debug({ err: error }, "this node could not say that it serves streams")
    })
  }

  return {
    ask: async (asked) => {
      const id = uuidv7()
      const text = JSON.stringify({ id, question: asked })
      if (Buffer.byteLength(text) > maxQuestionBytes) {
        throw new SignalboxError(
          "too_large",
          `what is said to all may have ${maxQuestionBytes} bytes at most`,
        )
      }
      const nodes = await askStreamNodes(db, text)
      const deadline = performance.now() + patienceMs
      while ((await countStreamAnswers(db, id)) < nodes.length && performance.now() < deadline)
        await sleep(15)
      const answers = await takeStreamAnswers(db, id)
      const answered = new Set(answers.map((one) => one.node))
      return { answers, unanswered: nodes.filter((one) => !answered.has(one)) }
    },
    hear: (text) => {
      const heard = message.safeParse(jsonIn(text))
      if (!heard.success) return // of another version, or of somebody else: every login may notify
      answerStreamQuestion(db, heard.data.id, node, answer(heard.data.question)).catch((error: unknown) => {
        log.warn({ err: error }, "a question about open streams could not be answered")
      })
    },
    start: () => {
      if (timer !== undefined) return
      beat()
      timer = setInterval(beat, beatMs).unref()
    },
    stop: async () => {
      if (timer === undefined) return
      clearInterval(timer)
      timer = undefined
      await last
      await removeStreamNode(db, node).catch(() => {}) // it is forgotten by itself
    },
  }
}

/** What a text says as JSON; undefined where it is none. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
