import { expect, test } from "vitest";
import { csvLine } from "../../src/core/csv.ts";

test("a record is as RFC 4180 has it", () => {
  expect(csvLine(["plain", 1, null, 'say "hi"', "a,b", "two\r\nlines", " edge", ""])).toBe(
    'plain,1,,"say ""hi""","a,b","two\r\nlines"," edge",\r\n',
  );
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"])(
  "a spreadsheet reckons nothing out of %j",
  (text) => {
    const line = csvLine([text]);
    expect(line.replace(/^"/, "")).toMatch(/^'/);
  },
);

test("nor out of what begins a cell where another separator is usual", () => {
  expect(csvLine(['boom;"=HYPERLINK(1);x'])).toBe(`"boom;""'=HYPERLINK(1);x"\r\n`);
  expect(csvLine(["rule 1 (a;=HYPERLINK(1))", "said:\n=1", "a - b; c"])).toBe(
    `"rule 1 (a;'=HYPERLINK(1))","said:\n'=1","a - b; c"\r\n`,
  );
});

test("what looks like a formula and holds a quote is both quoted and kept from being one", () => {
  expect(csvLine(['=HYPERLINK("http://evil",1)'])).toBe('"\'=HYPERLINK(""http://evil"",1)"\r\n');
});

test("numbers stay numbers", () => {
  expect(csvLine([-5, 0.25])).toBe("-5,0.25\r\n");
});
