import { describe, expect, it } from "vitest";
import { domainProblem, isBounded, plainDomain, readBound } from "../../src/core/domains.ts";

const problem = (text: string) => domainProblem(plainDomain(text));

describe("a domain that may be allowed", () => {
  it.each([
    "packages.example.org",
    "*.example.org",
    "*.cdn.example.org",
    "*.example.co.uk",
    "Packages.Example.ORG.",
    "raw.githubusercontent.com",
    "someone.github.io",
    "*.someone.github.io",
    "bucket.s3.amazonaws.com",
    "xn--bcher-kva.example.org",
    "1.2.3.4.example.org",
    "x.test",
  ])("%s", (text) => {
    expect(problem(text)).toBeNull();
  });
});

describe("a domain that is not one", () => {
  it.each<[RegExp, string[]]>([
    [/too wide: anybody can get a name below com;/, ["*.com", "*.COM."]],
    [/below co\.uk;/, ["*.co.uk"]],
    [/below github\.io;/, ["*.github.io"]],
    // No public suffix itself, but some lie below it.
    [/below s3\.amazonaws\.com;/, ["*.amazonaws.com", "*.s3.amazonaws.com"]],
    [/too wide/, ["*.windows.net", "*.fastly.net", "*.ck", "*.kawasaki.jp", "*.herokuapp.com"]],
    [/too wide/, ["*.compute.amazonaws.com.cn", "*.xn--p1ai", "*.xn--55qx5d.cn", "*.registry"]],
    [/is a public suffix/, ["co.uk", "github.io", "GitHub.IO.", "s3.amazonaws.com"]],
    [/is an address/, ["127.0.0.1", "8.8.8.8", "127.1", "2130706433", "0x7f.1", "017700000001"]],
    [/is an address/, ["[::1]", "::1", "::ffff:127.0.0.1", "*.127.0.0.1", "1.1.1.1."]],
    [/no public name/, ["localhost", "a.localhost", "*.localhost", "printer.local", "*.local"]],
    [/no public name/, ["db.internal", "*.internal", "git.corp", "nas.home.arpa", "x.onion"]],
    [
      /xn-- form/,
      ["пример.рф", "*.bücher.example", "ｅxample.org", "example。org", "git\u212a.com"],
    ],
    [/must be a domain/, ["registry", "", ".", "*", "*.", "*.*.example.org", "a.*.example.org"]],
    [/must be a domain/, ["*example.org", "a..example.org", ".example.org", "-a.example.org"]],
    [/must be a domain/, ["https://a.example.org", "a.example.org:443", "a.example.org/x"]],
    [/must be a domain/, ["user@a.example.org", "a_b.example.org", "evil\0.example.org"]],
    [/must be a domain/, ["ab--cd.example.org", `${"a".repeat(64)}.example.org`]],
    [/must be a domain/, [`${"a.".repeat(130)}example.org`, "a.example.org b.example.org"]],
  ])("%s", (told, texts) => {
    for (const text of texts) expect(problem(text), text).toMatch(told);
  });
});

describe("what lies within the operator's list", () => {
  it.each<[string, string, boolean]>([
    ["a.example.org", "a.example.org", true],
    ["*.example.org", "*.example.org", true],
    ["x.example.org", "*.example.org", true],
    ["x.y.example.org", "*.example.org", true],
    ["*.x.example.org", "*.example.org", true],
    ["example.org", "*.example.org", false],
    ["*.example.org", "x.example.org", false],
    ["*.example.org", "*.x.example.org", false],
    ["*.example.org", "example.org", false],
    ["evilexample.org", "*.example.org", false],
    ["a.example.org.evil.net", "a.example.org", false],
  ])("%s within %s: %s", (inner, outer, within) => {
    expect(isBounded(inner, [outer])).toBe(within);
  });

  it("is everything without a list, and nothing with an empty one", () => {
    expect([isBounded("a.example.org", null), isBounded("a.example.org", [])]).toEqual([
      true,
      false,
    ]);
  });
});

describe("the operator's list", () => {
  it("is domains with commas or spaces between them, or none", () => {
    expect(readBound(" a.example.org,\n*.Example.NET.  a.example.org ")).toEqual({
      domains: ["a.example.org", "*.example.net"],
    });
    expect(readBound("none")).toEqual({ domains: [] });
  });

  it("is refused with each entry that cannot stand in it", () => {
    const read = readBound("*.github.io a.example.org 10.0.0.1, none");
    expect("problem" in read ? read.problem.split("; ") : []).toEqual([
      '"*.github.io" is too wide: anybody can get a name below github.io',
      "name the hosts that are needed",
      '"10.0.0.1" is an address',
      "only names can be allowed",
      '"none" stands for no network and goes with nothing else',
    ]);
    expect(readBound(" , ")).toEqual({ problem: "must name domains, or be none" });
  });
});
