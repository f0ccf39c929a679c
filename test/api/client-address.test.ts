import { describe, expect, it } from "vitest";
import { clientAddress, networkOf } from "../../src/api/client-address.ts";

function request(remoteAddress: string | undefined, forwarded?: string) {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return { headers, socket: { remoteAddress } } as Parameters<typeof clientAddress>[0];
}

describe("clientAddress", () => {
  it.each([
    ["no proxy, no header", 0, undefined, "10.0.0.1"],
    ["no proxy: the header is the client's own word", 0, "1.1.1.1", "10.0.0.1"],
    ["one proxy saw the last", 1, "1.1.1.1, 2.2.2.2", "2.2.2.2"],
    ["two proxies: the one before saw it", 2, "1.1.1.1, 2.2.2.2, 3.3.3.3", "2.2.2.2"],
    ["fewer than there should be: nothing is believed", 2, "1.1.1.1", "10.0.0.1"],
    ["no header at all", 1, undefined, "10.0.0.1"],
    ["rubbish", 1, "unknown", "10.0.0.1"],
    ["an empty entry", 1, "1.1.1.1, ", "10.0.0.1"],
    ["with a port", 1, "2.2.2.2:4711", "2.2.2.2"],
    ["IPv6 with a port", 1, "[2001:db8::1]:4711", "2001:db8:0:0::/64"],
  ])("%s", (_, proxies, forwarded, expected) => {
    expect(clientAddress(request("10.0.0.1", forwarded), proxies)).toBe(expected);
  });

  it("of a connection that is gone is a word of its own", () => {
    expect(clientAddress(request(undefined), 0)).toBe("unknown");
  });
});

describe("networkOf", () => {
  it.each([
    ["127.0.0.1", "127.0.0.1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::ffff:7f00:1", "127.0.0.1"],
    ["::1", "0:0:0:0::/64"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::", "2001:db8:1:2::/64"],
    ["2001:db8::2:0:0:1", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["64:ff9b::192.0.2.33", "64:ff9b:0:0::/64"],
    ["", null],
    ["1.2.3", null],
    ["example.com", null],
    ["1.2.3.4, 5.6.7.8", null],
  ])("of %s is %s", (text, expected) => {
    expect(networkOf(text)).toBe(expected);
  });
});
