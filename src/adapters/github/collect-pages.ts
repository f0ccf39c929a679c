const PER_PAGE = 100;
/** Where a listing is given up: no conversation is that long, but a host may repeat itself forever. */
const MAX_PAGES = 50;

/**
 * All items of a listing from page `first` on. Pages are asked for by number: a next address that
 * came from the server could lead the token to another host.
 */
export async function collectPages<T>(
  first: number,
  page: (at: { page: number; per_page: number }) => Promise<{
    data: T[];
    headers: { link?: string | undefined };
  }>,
): Promise<T[]> {
  const items: T[] = [];
  for (let number = first; number < first + MAX_PAGES; number += 1) {
    const { data, headers } = await page({ page: number, per_page: PER_PAGE });
    items.push(...data);
    const more =
      headers.link === undefined ? data.length === PER_PAGE : headers.link.includes('rel="next"');
    if (!more || data.length === 0) break;
  }
  return items;
}
