import type { RepoRef } from "../../core/job.ts";
import type { Minted } from "./mint.ts";
import type { Permissions } from "./permissions.ts";

/** A token is not lent when it ends sooner than this. */
const SPARE_MS = 5 * 60_000;
/** How long a stop waits until GitHub took all tokens back. */
const STOP_MS = 3000;

/** What a token is for. Holders never share one. */
export interface Need {
  /** A job's lane, or the conversation. */
  holder: string;
  repo: RepoRef;
  permissions: Permissions;
}

/** A token on loan; whoever borrows it gives it back. */
interface Loan {
  token: string;
  back(): void;
}

/**
 * Installation tokens in memory. Each is good for one repository and the named permissions, is lent to
 * one holder only, and is revoked once it was idle for a while or its holder ended.
 */
export interface Tokens {
  /** From here on tokens of this holder are kept between two uses; without it, each serves one use. */
  open(holder: string): void;
  /** Revokes what the holder has, as soon as it is not in use. */
  end(holder: string): void;
  /** Throws UserError when GitHub refuses such a token, TransientError when it cannot answer. */
  lend(need: Need): Promise<Loan>;
  /** Gives up a token that GitHub no longer takes; a newer one stays. */
  drop(need: Need, token: string): void;
  /** Revokes everything; lends nothing any more. Resolves after 3 s at the latest. */
  stop(): Promise<void>;
}

interface Held extends Minted {
  key: string;
  holder: string;
  users: number;
  /** Revoked with its last use. */
  retired: boolean;
  revoked: boolean;
  idle: NodeJS.Timeout | undefined;
}

/** Lends tokens that `mint` makes and `revoke` ends; `revoke` never throws. */
export function createTokens(deps: {
  mint: (repo: RepoRef, permissions: Permissions) => Promise<Minted>;
  revoke: (token: string) => Promise<void>;
  /** Told of each token that comes, so that it can be kept out of texts, and of each that goes. */
  onToken: (token: string, alive: boolean) => void;
  /** How long a token may lie unused, in ms. */
  idleMs: number;
  now: () => number;
}): Tokens {
  const { now, onToken } = deps;
  const holders = new Set<string>();
  const alive = new Set<Held>();
  /** The one that is lent next, by what it is for. */
  const current = new Map<string, Held>();
  const minting = new Map<string, Promise<Held>>();
  const revoking = new Set<Promise<void>>();
  let stopped = false;

  async function mint(need: Need, key: string): Promise<Held> {
    const { holder, repo, permissions } = need;
    const minted = await deps.mint(repo, permissions);
    onToken(minted.token, true);
    const held: Held = {
      ...minted,
      key,
      holder,
      users: 0,
      // It may have ended meanwhile.
      retired: stopped || !holders.has(holder),
      revoked: false,
      idle: undefined,
    };
    alive.add(held);
    if (!held.retired) current.set(key, held);
    return held;
  }

  async function take(need: Need): Promise<Held> {
    const key = keyOf(need);
    for (;;) {
      if (stopped) throw new Error("the server is stopping");
      // Outside its life a holder's token serves one use, and others do not join it.
      if (!holders.has(need.holder)) return used(await mint(need, key));
      const known = current.get(key);
      if (known && known.expiresAt - now() > SPARE_MS) return used(known);
      if (known) retire(known);
      const running = minting.get(key) ?? mint(need, key).finally(() => minting.delete(key));
      minting.set(key, running);
      const fresh = await running;
      if (!fresh.revoked) return used(fresh);
    }
  }

  function used(held: Held): Held {
    clearTimeout(held.idle);
    held.users += 1;
    return held;
  }

  function rest(held: Held): void {
    if (held.users > 0) return;
    if (held.retired) revoke(held);
    else held.idle = setTimeout(() => retire(held), deps.idleMs).unref();
  }

  function retire(held: Held): void {
    if (current.get(held.key) === held) current.delete(held.key);
    held.retired = true;
    clearTimeout(held.idle);
    if (held.users === 0) revoke(held);
  }

  function revoke(held: Held): void {
    if (held.revoked) return;
    held.revoked = true;
    alive.delete(held);
    // A host may give one token twice; as long as one of them is used it must live.
    if ([...alive].some(({ token }) => token === held.token)) return;
    const over = held.expiresAt <= now() ? Promise.resolve() : deps.revoke(held.token);
    const ended = over.finally(() => {
      onToken(held.token, false);
      revoking.delete(ended);
    });
    revoking.add(ended);
  }

  return {
    open: (holder) => void holders.add(holder),
    end(holder) {
      holders.delete(holder);
      for (const held of [...alive]) if (held.holder === holder) retire(held);
    },
    async lend(need) {
      const held = await take(need);
      let lent = true;
      return {
        token: held.token,
        back() {
          if (!lent) return;
          lent = false;
          held.users -= 1;
          rest(held);
        },
      };
    },
    drop(need, token) {
      const held = current.get(keyOf(need));
      if (held?.token === token) retire(held);
    },
    async stop() {
      stopped = true;
      for (const held of [...alive]) {
        held.users = 0;
        retire(held);
      }
      await Promise.race([
        Promise.all(revoking),
        new Promise((end) => setTimeout(end, STOP_MS).unref()),
      ]);
    },
  };
}

function keyOf({ holder, repo, permissions }: Need): string {
  const access = Object.entries(permissions).sort();
  return JSON.stringify([holder, repo.installationId, repo.id, access]);
}
