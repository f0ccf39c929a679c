import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { isPublicAddress } from "../../../../src/adapters/sandbox/network/public-address.ts";

describe("an address of the public Internet", () => {
  it.each([
    ...["1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.0", "172.15.0.1"],
    ...["172.32.0.1", "192.167.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255"],
    ...["2606:4700::1111", "2a00:1450:4001::1", "64:ff9b::8.8.8.8", "64:ff9b::101:101"],
  ])("%s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

describe("an address that stays closed", () => {
  it.each([
    ...[
      "0.0.0.0",
      "0.1.2.3",
      "10.1.2.3",
      "100.64.0.1",
      "100.100.100.200",
      "127.0.0.1",
      "127.9.9.9",
    ],
    ...[
      "169.254.169.254",
      "172.16.0.1",
      "172.31.255.255",
      "192.0.0.192",
      "192.0.2.1",
      "192.88.99.1",
    ],
    ...["192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250"],
    ...["240.0.0.1", "255.255.255.255", "168.63.129.16"],
    ...["::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "::ffff:0:127.0.0.1"],
    ...[
      "64:ff9b::127.0.0.1",
      "64:ff9b::a00:1",
      "64:ff9b::",
      "64:ff9b::1",
      "64:ff9b:1::1",
      "100::1",
    ],
    ...["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2002:7f00:1::"],
    ...[
      "2002:808:808::1",
      "3fff::1",
      "5f00::1",
      "fc00::1",
      "fd00:ec2::254",
      "fe80::1",
      "fe80::1%lo",
    ],
    ...["fec0::1", "ff02::1", "4000::1", "localhost", "", "127.1", "2130706433", "0x7f.1"],
  ])("%j", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it("is each of this machine's own, too", () => {
    const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    expect(own.length).toBeGreaterThan(0);
    for (const { address } of own) expect(isPublicAddress(address), address).toBe(false);
  });
});
