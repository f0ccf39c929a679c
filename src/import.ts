import { composeTransfer } from "./compose/transfer.ts";
import { loadConfig } from "./config.ts";
import { UserError } from "./core/errors.ts";
import { tellMoved, tellWhyNot } from "./moved.ts";

// `npm run import -- <file> [--replace]`: stores all rows of an exported file, or none.
async function main(args: string[]): Promise<void> {
  const replace = args.includes("--replace");
  const [file, ...more] = args.filter((word) => word !== "--replace");
  if (file === undefined || file.startsWith("-") || more.length > 0) {
    throw new UserError("usage: npm run import -- <file of an export> [--replace]");
  }
  const { name, importFrom } = composeTransfer(loadConfig([]));
  tellMoved(await importFrom(file, { replace }), `${file} is in ${name}`);
}

main(process.argv.slice(2)).catch(tellWhyNot);
