/** What the first bytes of a TLS client say: the server's name, that more is needed, or that it is no such thing. */
export type Hello = { status: "named"; name: string } | { status: "partial" } | { status: "other" };

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
/** Far above any real one, in bytes and in records. */
const MAX_HELLO = 32 * 1024;
const MAX_RECORDS = 64;

/** Reads the name out of a ClientHello (RFC 8446 4.1.2, RFC 6066 3), which may come in several records. */
export function readHello(bytes: Buffer): Hello {
  const fragments: Buffer[] = [];
  let size = 0;
  let wanted = 4;
  for (let at = 0; fragments.length < MAX_RECORDS; ) {
    const header = bytes.subarray(at, at + 5);
    if (header.length > 0 && header[0] !== HANDSHAKE) return { status: "other" };
    if (header.length > 1 && header[1] !== 3) return { status: "other" };
    if (header.length < 5) return { status: "partial" };
    const length = header.readUInt16BE(3);
    const fragment = bytes.subarray(at + 5, at + 5 + length);
    if (fragment.length < length) {
      return { status: length > MAX_HELLO ? "other" : "partial" };
    }
    fragments.push(fragment);
    size += length;
    at += 5 + length;
    if (size < wanted) continue;
    const message = Buffer.concat(fragments);
    if (message[0] !== CLIENT_HELLO) return { status: "other" };
    wanted = 4 + message.readUIntBE(1, 3);
    if (wanted > MAX_HELLO) return { status: "other" };
    if (size >= wanted) return nameIn(new Reader(message.subarray(4, wanted)));
  }
  return { status: "other" };
}

/** The one host name of a ClientHello's body; a second, or one that is no name, makes it something else. */
function nameIn(hello: Reader): Hello {
  hello.skip(2 + 32);
  hello.skip(hello.number(1));
  hello.skip(hello.number(2));
  hello.skip(hello.number(1));
  const extensions = hello.part(hello.number(2));
  const names: string[] = [];
  while (extensions.left > 0 && !extensions.broken) {
    const type = extensions.number(2);
    const body = extensions.part(extensions.number(2));
    if (type !== SERVER_NAME) continue;
    const list = body.part(body.number(2));
    if (list.left === 0) names.push("");
    while (list.left > 0 && !list.broken) {
      const kind = list.number(1);
      const name = list.part(list.number(2));
      names.push(kind === 0 ? name.text() : "");
    }
    if (list.broken || body.broken) return { status: "other" };
  }
  const [name] = names;
  if (hello.broken || extensions.broken || names.length !== 1 || !name) return { status: "other" };
  return { status: "named", name };
}

/** Takes a buffer apart from its start; reading beyond the end breaks it instead of throwing. */
class Reader {
  broken = false;
  private rest: Buffer;

  constructor(bytes: Buffer) {
    this.rest = bytes;
  }

  get left(): number {
    return this.rest.length;
  }

  number(bytes: number): number {
    const taken = this.take(bytes);
    return taken.length === bytes ? taken.readUIntBE(0, bytes) : 0;
  }

  skip(bytes: number): void {
    this.take(bytes);
  }

  part(bytes: number): Reader {
    return new Reader(this.take(bytes));
  }

  text(): string {
    return this.rest.toString("latin1");
  }

  private take(bytes: number): Buffer {
    if (bytes > this.rest.length) this.broken = true;
    const taken = this.rest.subarray(0, bytes);
    this.rest = this.rest.subarray(bytes);
    return taken;
  }
}
