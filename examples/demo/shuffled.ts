/** The same items in another order, the same one each time: a linear congruential generator deals. */
export function shuffled<T>(items: readonly T[], seed = 20): T[] {
  const deck = [...items]
  let state = seed
  for (let index = deck.length - 1; index > 0; index--) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    const other = state % (index + 1)
    const card = deck[index]
    const swap = deck[other]
    if (card !== undefined && swap !== undefined) [deck[index], deck[other]] = [swap, card]
  }
  return deck
}
