import type { StorePlace } from "../../src/adapters/store/store.ts";
import { silentLog } from "./log.ts";

/** The argument of another process that is to open the same database. */
export function argumentOf(place: StorePlace): string {
  return JSON.stringify("file" in place ? { file: place.file } : { url: place.url });
}

/** What `argumentOf` made. */
export function placeOf(argument: string): StorePlace {
  const place = JSON.parse(argument) as { file: string } | { url: string };
  return "file" in place ? place : { ...place, log: silentLog };
}
