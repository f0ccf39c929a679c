import { isIPv6, type Socket } from "node:net";
import { hostList, hostRemedy, WEB_PORTS } from "../../../core/denied-hosts.ts";
import { isWithin, plainDomain } from "../../../core/domains.ts";
import type { Internet } from "./internet.ts";
import { isPublicAddress } from "./public-address.ts";

/** Names kept of one command: more than are shown, so that the first ones are among them. */
const MAX_DENIED = 200;
const MAX_NAME = 100;
/** Names that wait to be looked up: as many as a command can hold connections. */
const MAX_WAITING = 256;

/** A host name; underscores are against the rules and in use. */
const HOST = /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

type Refused = { status: "refused"; text: string };

/** The way out of one command: it judges each name and address, and remembers what it refused. */
export interface Outlet {
  /** Whether a host may be reached at a port; nothing is looked up for one that may not. */
  judge(host: string, port: number): { status: "allowed"; name: string } | Refused;
  /** Connects to an allowed name: only to an address that was judged, and is public. */
  dial(
    name: string,
    port: number,
  ): Promise<{ status: "open"; socket: Socket } | Refused | { status: "failed"; text: string }>;
  /** Remembers a host that was asked for in vain; a sentence for who asked. */
  deny(host: string, port: number): string;
  /** What was refused, as `host:port`. */
  denied(): string[];
  /** The command has ended: nothing more is looked up for it. */
  end(): void;
}

/** An outlet to `allowed`: domains as the configuration has them, judged to be fit for it. */
export function createOutlet(allowed: readonly string[], internet: Internet): Outlet {
  const denied = new Set<string>();
  /** Look-ups come one after another: a command with many names does not keep others waiting. */
  let last: Promise<unknown> = Promise.resolve();
  const underway = new Map<string, Promise<string[]>>();
  let ended = false;

  function deny(host: string, port: number): string {
    const shown = shownHost(host, port);
    if (denied.size < MAX_DENIED) denied.add(shown);
    return `Draftsmith: ${shown} is not reachable from here; ${hostRemedy(shown, allowed)}.`;
  }

  function addressesOf(name: string): Promise<string[]> {
    const shared = underway.get(name);
    if (shared) return shared;
    // Whoever asked may have left long ago, and asked for thousands of names below one that is allowed.
    if (underway.size >= MAX_WAITING) return Promise.resolve([]);
    const asked = last
      .then(() => (ended ? [] : internet.lookup(name)))
      .finally(() => underway.delete(name));
    underway.set(name, asked);
    last = asked.catch(() => undefined);
    return asked;
  }

  return {
    judge(host, port) {
      const name = plainDomain(host);
      const fit = HOST.test(name) && name.length <= 253 && WEB_PORTS.includes(port);
      if (fit && allowed.some((domain) => isWithin(name, domain))) {
        return { status: "allowed", name };
      }
      return { status: "refused", text: deny(host, port) };
    },
    async dial(name, port) {
      const known = await addressesOf(name);
      const open = known.filter(isPublicAddress);
      if (open.length === 0) {
        if (known.length > 0) return { status: "refused", text: deny(name, port) };
        return { status: "failed", text: `Draftsmith: ${name} has no address.` };
      }
      try {
        return { status: "open", socket: await internet.connect(open, port) };
      } catch {
        // Why is told to nobody: it could say something about the network around the server.
        return { status: "failed", text: `Draftsmith: ${name}:${port} does not answer.` };
      }
    },
    deny,
    denied: () => hostList(denied),
    end() {
      ended = true;
    },
  };
}

/** `host:port` as it may be shown: a command chose the name. */
function shownHost(host: string, port: number): string {
  const bare = plainDomain(host.replace(/^\[(.*)\]$/, "$1"));
  const url = URL.parse(`http://${isIPv6(bare) ? `[${bare}]` : bare}/`);
  // The address that another spelling of it means.
  const name = url !== null && /^(\[.*\]|[\d.]+)$/.test(url.hostname) ? url.hostname : bare;
  const clean = name.replace(/[^a-z0-9_.:[\]-]/g, "?");
  return `${clean.length > MAX_NAME ? `${clean.slice(0, MAX_NAME - 1)}…` : clean || "?"}:${port}`;
}
