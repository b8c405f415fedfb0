import type { Db } from "./database.ts"

/** A question's payload may have so many bytes, as PostgreSQL's notifications. */
export const maxQuestionBytes = 7_900

/** Says that a node serves streams, and forgets those that have not said so for a minute. */
export async function beatStreamNode(db: Db, node: string): Promise<void> {
  await db.query({
    name: "beat_stream_node",
    text: `with gone as (delete from stream_nodes where seen_at < now() - interval '1 minute'),
      forgotten as (delete from stream_answers where answered_at < now() - interval '1 minute')
      insert into stream_nodes (id) values ($1) on conflict (id) do update set seen_at = now()`,
    values: [node],
  })
}

/** Says that a node serves no more streams. */
export async function removeStreamNode(db: Db, node: string): Promise<void> {
  await db.query("delete from stream_nodes where id = $1", [node])
}

/** Asks all nodes; answers those that should answer, the ones seen within 15 s. */
export async function askStreamNodes(db: Db, question: string): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `with asked as (select pg_notify('signalbox_streams', $1))
     select id from stream_nodes, asked where seen_at > now() - interval '15 seconds' order by id`,
    [question],
  )
  return rows.map(({ id }) => id)
}

/** Puts down what a node answers. */
export async function answerStreamQuestion(
  db: Db,
  question: string,
  node: string,
  answer: unknown,
): Promise<void> {
  await db.query("insert into stream_answers (question, node, answer) values ($1, $2, $3)", [
    question,
    node,
    JSON.stringify(answer),
  ])
}

/** Nodes that have answered a question so far. */
export async function countStreamAnswers(db: Db, question: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>({
    name: "count_stream_answers",
    text: "select count(*) from stream_answers where question = $1",
    values: [question],
  })
  return rows[0]?.count ?? 0
}

/** Takes the answers to a question. */
export async function takeStreamAnswers(
  db: Db,
  question: string,
): Promise<{ node: string; answer: unknown }[]> {
  const { rows } = await db.query<{ node: string; answer: unknown }>(
    "delete from stream_answers where question = $1 returning node, answer",
    [question],
  )
  return rows
}
