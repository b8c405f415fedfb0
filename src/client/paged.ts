/** A list of the hub's, item by item; pages are fetched as they are needed. */
export interface Paged<Item, Page> extends AsyncIterable<Item> {
  /** The same page by page, with what a page says beside its items, and `nextCursor` to go on from later. */
  pages(): AsyncIterable<Page>
}

/** A page as every list of the hub has it. */
export interface PageCursor {
  nextCursor: string | null
}

/** Makes a list of what fetches its pages. */
export function paged<Item, Page extends PageCursor>(
  fetchPage: (cursor: string | undefined) => Promise<Page>,
  itemsOf: (page: Page) => readonly Item[],
  begin?: string,
): Paged<Item, Page> {
  async function* pages(): AsyncGenerator<Page, void> {
    let cursor = begin
    do {
      const page = await fetchPage(cursor)
      yield page
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
  }
  return {
    pages,
    async *[Symbol.asyncIterator]() {
      for await (const page of pages()) yield* itemsOf(page)
    },
  }
}
