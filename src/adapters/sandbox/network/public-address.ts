import { BlockList, isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** IPv4 that is not for everybody, by IANA's special-purpose registry, and two metadata services outside it. */
const CLOSED_V4 = listOf("ipv4", [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"],
  ...["172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"],
  ...["198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"],
  ...["168.63.129.16/32"],
]);

/** Of IPv6 only what is handed out to networks is open, without its special parts: 6to4, Teredo, documentation. */
const OPEN_V6 = listOf("ipv6", ["2000::/3"]);
const CLOSED_V6 = listOf("ipv6", ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]);
/** IPv6 that a translator delivers to the IPv4 address in its last 32 bits. */
const TRANSLATED = listOf("ipv6", ["64:ff9b::/96"]);

/** Whether an address belongs to the public Internet: not private, local, reserved, or one of this machine's own. */
export function isPublicAddress(address: string): boolean {
  if (!isIP(address) || address.includes("%") || isOwn(address)) return false;
  if (!isIPv6(address)) return !CLOSED_V4.check(address, "ipv4");
  if (TRANSLATED.check(address, "ipv6")) return isPublicAddress(lastFourBytes(address));
  return OPEN_V6.check(address, "ipv6") && !CLOSED_V6.check(address, "ipv6");
}

/** Services that listen on every interface answer there as they do on loopback. */
function isOwn(address: string): boolean {
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return own.some((each) => plain(each.address) === plain(address));
}

function listOf(family: "ipv4" | "ipv6", ranges: string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net = "", bits] = range.split("/");
    list.addSubnet(net, Number(bits), family);
  }
  return list;
}

/** The IPv4 address at the end of an IPv6 address. */
function lastFourBytes(address: string): string {
  const groups = plain(address).replace("::", ":0:0:0:0:0:0:0:").split(":").slice(-2);
  const [high = 0, low = 0] = groups.map((group) => Number.parseInt(group || "0", 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** One spelling for one address. */
function plain(address: string): string {
  const host = isIPv6(address) ? `[${address.replace(/%.*/, "")}]` : address;
  return URL.parse(`http://${host}/`)?.hostname.replace(/[[\]]/g, "") ?? address;
}
