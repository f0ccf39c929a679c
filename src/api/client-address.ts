import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

/**
 * Whom a request is counted under: its address, of IPv6 the /64 that one customer gets. Each of
 * `proxies` reverse proxies in front added the address it saw to X-Forwarded-For; whatever stands
 * further left was written by the client itself and says nothing.
 */
export function clientAddress(
  request: Pick<IncomingMessage, "headers" | "socket">,
  proxies: number,
): string {
  const peer = networkOf(request.socket.remoteAddress ?? "") ?? "unknown";
  if (proxies === 0) return peer;
  const seen = [request.headers["x-forwarded-for"] ?? []].flat().join(",").split(",");
  return networkOf(seen.at(-proxies) ?? "") ?? peer;
}

/** An IPv4 address as it is, the first half of an IPv6 address; null for anything else. */
export function networkOf(text: string): string | null {
  // Some proxies add the port, and then brackets.
  const bare = text.trim().replace(/^\[(.*)\](?::\d+)?$/, "$1");
  const address = bare.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1").replace(/%.*$/, "");
  if (isIP(address) === 4) return address;
  if (isIP(address) !== 6) return null;
  const groups = groupsOf(address);
  const [high = 0, low = 0] = groups.slice(6);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** The eight numbers of an IPv6 address. */
function groupsOf(address: string): number[] {
  // In a URL an address has one spelling, without dots.
  const { hostname } = new URL(`http://[${address}]/`);
  const [before = "", after] = hostname.slice(1, -1).split("::");
  const numbers = (part: string) =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const head = numbers(before);
  if (after === undefined) return head;
  const tail = numbers(after);
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}
