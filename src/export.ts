import { composeTransfer } from "./compose/transfer.ts";
import { loadConfig } from "./config.ts";
import { UserError } from "./core/errors.ts";
import { tellMoved, tellWhyNot } from "./moved.ts";

// `npm run export -- <file>`: writes all rows of the stopped server to a new file.
async function main(args: string[]): Promise<void> {
  const [file, ...more] = args;
  if (file === undefined || file.startsWith("-") || more.length > 0) {
    throw new UserError("usage: npm run export -- <new file>");
  }
  const { name, exportTo } = composeTransfer(loadConfig([]));
  tellMoved(await exportTo(file), `${name} is in ${file}`);
}

main(process.argv.slice(2)).catch(tellWhyNot);
