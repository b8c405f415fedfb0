/** A round of a competitor, as `tell` hears of it. */
export interface Turn<Name extends string, Report> {
  /** From 1. */
  round: number
  name: Name
  report: Report
}

/**
 * Lets every competitor play once a round and answers their reports in the order of the rounds. Rounds
 * are short and take turns, so that all meet the same neighbours on the machine; who goes first changes
 * with the round, so that no one always runs in another's wake.
 */
export async function takeTurns<Name extends string, Report>(
  names: readonly Name[],
  rounds: number,
  play: (name: Name) => Promise<Report>,
  tell: (turn: Turn<Name, Report>) => void,
): Promise<Map<Name, Report[]>> {
  const reports = new Map<Name, Report[]>(names.map((name) => [name, []]))
  for (let index = 0; index < rounds; index++) {
    const first = index % names.length
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      const report = await play(name)
      reports.get(name)?.push(report)
      tell({ round: index + 1, name, report })
    }
  }
  return reports
}
