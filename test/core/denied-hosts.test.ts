import { expect, it } from "vitest";
import { hostList, hostRemedy, hostWords } from "../../src/core/denied-hosts.ts";

it.each<[string, RegExp]>([
  ["registry.example.net:443", /^to allow it, add it under `network:`/],
  ["deep.example.org:80", /address is not a public one/],
  ["registry.example.net:22", /only ports 80 and 443/],
  ["deep.example.org:8080", /only ports 80 and 443/],
  ["127.0.0.1:80", /cannot be allowed, for it is an address/],
  ["[::1]:443", /cannot be allowed, for it is an address/],
  ["localhost:80", /cannot be allowed, for it is no public name/],
  ["evil.net?.example.org:443", /cannot be allowed/],
])("says what can be done about %s", (host, told) => {
  expect(hostRemedy(host, ["*.example.org"])).toMatch(told);
});

it("says it once for many hosts, and names twenty at most", () => {
  expect(hostWords(["a.example.net:443", "x:22", "b.example.net:443"], [])).toBe(
    "a.example.net:443, b.example.net:443 (to allow it, add it under `network:` in `.github/codex.yml`); x:22 (only ports 80 and 443 can be reached)",
  );
  const many = Array.from({ length: 50 }, (_, at) => `h${at % 30}.example.net:443`);
  expect(hostList(many)).toHaveLength(20);
  expect(hostList(["b:1", "a:1", "b:1"])).toEqual(["a:1", "b:1"]);
});
