import { writeFileSync } from "node:fs";
import { repoConfigJsonSchema } from "./core/repo-config.ts";

// `npm run schema`: writes the schema that editors and docs use from the one the server uses.
writeFileSync(new URL("../docs/codex.schema.json", import.meta.url), repoConfigJsonSchema());
