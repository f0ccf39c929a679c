import { isIPv6, type Socket } from "node:net";
import type { Outlet } from "./outlet.ts";
import { tunnel } from "./tunnel.ts";

const NO_AUTH = 0;
const PASSWORD = 2;
const NONE_ACCEPTABLE = 0xff;
const CONNECT = 1;
const GRANTED = 0;
const NOT_ALLOWED = 2;
const UNREACHABLE = 4;
const NO_SUCH_COMMAND = 7;
const NO_SUCH_ADDRESS = 8;

export interface SocksSide {
  /** Whose connection this is; null for nobody's. A user name is given where the client has one. */
  outletOf(client: Socket, user: string | undefined): Outlet | null;
  /** Serves plain HTTP to a host. */
  serveHttp(client: Socket, name: string, outlet: Outlet): void;
}

/** Serves a SOCKS5 client (RFC 1928, 1929): connections by name to what is allowed, nothing else. */
export async function serveSocks(client: Socket, side: SocksSide): Promise<void> {
  const [, count = 0] = await take(client, 2);
  const methods = await take(client, count);
  let outlet = side.outletOf(client, undefined);
  if (outlet !== null && methods.includes(NO_AUTH)) client.write(Buffer.from([5, NO_AUTH]));
  else if (methods.includes(PASSWORD)) {
    client.write(Buffer.from([5, PASSWORD]));
    const [, length = 0] = await take(client, 2);
    const user = (await take(client, length)).toString("latin1");
    const [rest = 0] = await take(client, 1);
    await take(client, rest);
    outlet = side.outletOf(client, user);
    client.write(Buffer.from([1, outlet === null ? 1 : 0]));
  } else client.write(Buffer.from([5, NONE_ACCEPTABLE]));
  if (outlet === null) return void client.end();

  const [, command, , kind] = await take(client, 4);
  const host = await hostOf(client, kind);
  if (host === null) return end(client, NO_SUCH_ADDRESS);
  const port = (await take(client, 2)).readUInt16BE();
  if (command !== CONNECT) return end(client, NO_SUCH_COMMAND);
  const judged = outlet.judge(host, port);
  if (judged.status === "refused") return end(client, NOT_ALLOWED);
  if (port === 80) {
    client.write(reply(GRANTED));
    return side.serveHttp(client, judged.name, outlet);
  }
  const dialled = await outlet.dial(judged.name, port);
  if (dialled.status !== "open") {
    return end(client, dialled.status === "refused" ? NOT_ALLOWED : UNREACHABLE);
  }
  client.write(reply(GRANTED));
  await tunnel(client, dialled.socket, judged.name, outlet);
}

/** The host of a request, as text; null for a kind of address there is not. */
async function hostOf(client: Socket, kind: number | undefined): Promise<string | null> {
  switch (kind) {
    case 1:
      return (await take(client, 4)).join(".");
    case 3: {
      const [length = 0] = await take(client, 1);
      return (await take(client, length)).toString("latin1");
    }
    case 4: {
      const groups = (await take(client, 16)).toString("hex").match(/.{4}/g) ?? [];
      const address = groups.join(":");
      return isIPv6(address) ? `[${address}]` : null;
    }
    default:
      return null;
  }
}

const reply = (status: number) => Buffer.from([5, status, 0, 1, 0, 0, 0, 0, 0, 0]);

function end(client: Socket, status: number): void {
  client.end(reply(status));
}

/** The next bytes of a connection; what follows them stays in it. Rejects when it ends before. */
function take(client: Socket, count: number): Promise<Buffer> {
  return new Promise((done, fail) => {
    if (count === 0) return done(Buffer.alloc(0));
    const stop = () => {
      client.off("readable", read);
      client.off("end", ended);
      client.off("close", ended);
    };
    const ended = () => {
      stop();
      fail(new Error("the client left"));
    };
    const read = () => {
      const bytes: Buffer | null = client.read(count);
      if (bytes === null) return;
      stop();
      if (bytes.length === count) done(bytes);
      else fail(new Error("the client left"));
    };
    client.on("readable", read);
    client.once("end", ended);
    client.once("close", ended);
    read();
  });
}
