// Our packages lie in third_party. `add name@version` sets one in deps.json, deps.lock.json and the imports of
// package.json; `verify` tells whether the three agree with each other and with the files.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const read = (name) => JSON.parse(readFileSync(name, "utf8"));
const save = (name, value) => writeFileSync(name, `${JSON.stringify(value, null, 2)}\n`);
const fileOf = (name, version) => `third_party/${name}-${version}.js`;
const sumOf = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

const [verb, what = ""] = process.argv.slice(2);
const [deps, lock, manifest] = [read("deps.json"), read("deps.lock.json"), read("package.json")];
if (verb === "add") {
  const [name, version] = what.split("@");
  const file = fileOf(name, version);
  deps[name] = `^${version}`;
  lock[name] = { version, sha256: sumOf(file) };
  manifest.imports[`#${name}`] = `./${file}`;
  save("deps.json", deps);
  save("deps.lock.json", lock);
  save("package.json", manifest);
} else if (verb === "verify") {
  for (const [name, range] of Object.entries(deps)) {
    const { version, sha256 } = lock[name] ?? {};
    const file = fileOf(name, version);
    if (range.slice(1).split(".")[0] !== version?.split(".")[0]) fail(`${name}: ${range} is not ${version}`);
    if (manifest.imports[`#${name}`] !== `./${file}`) fail(`${name}: package.json imports another`);
    if (sumOf(file) !== sha256) fail(`${name}: the checksum of ${file} is another`);
  }
} else fail("use: deps.js add name@version, or deps.js verify");

function fail(why) {
  console.error(why);
  process.exit(1);
}
