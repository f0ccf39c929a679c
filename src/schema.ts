import { writeFileSync } from "node:fs";
import { operatorConfigJsonSchema } from "./core/operator-config.ts";
import { repoConfigJsonSchema } from "./core/repo-config.ts";

// `npm run schema`: writes the schemas that editors and docs use from those the server uses.
writeFileSync(new URL("../docs/codex.schema.json", import.meta.url), repoConfigJsonSchema());
writeFileSync(
  new URL("../docs/draftsmith.schema.json", import.meta.url),
  operatorConfigJsonSchema(),
);
