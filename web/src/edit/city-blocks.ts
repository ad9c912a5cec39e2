/** The shapes of the city's blocks, fetched once: the editor draws and finds blocks by itself, at every zoom. */

import { items, nextPage, type ItemPage } from "../api";

const PAGE = 10_000;

let fetched: Promise<Map<number, GeoJSON.Geometry>> | null = null;

export function cityBlocks(): Promise<Map<number, GeoJSON.Geometry>> {
  fetched ??= fetchAll().catch((error: unknown) => {
    fetched = null;
    throw error;
  });
  return fetched;
}

async function fetchAll(): Promise<Map<number, GeoJSON.Geometry>> {
  const shapes = new Map<number, GeoJSON.Geometry>();
  const never = new AbortController().signal;
  let after: string | null = null;
  do {
    const page: ItemPage = await items("blocks", { limit: PAGE, after }, never);
    for (const { id, geometry } of page.features) if (geometry) shapes.set(Number(id), geometry);
    after = nextPage(page);
  } while (after !== null);
  return shapes;
}
