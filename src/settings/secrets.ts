import type { AppConfig, Credentials } from "../config.ts";

/** Installation tokens that are kept out of texts. */
const MAX_TOKENS = 200;

/** The secrets of this process as they stand: those of its settings, and tokens while they live. */
export function createSecrets(config: AppConfig & { credentials: Credentials }): {
  secrets: () => string[];
  /** Takes note of a token that came or went. */
  remember: (token: string, alive: boolean) => void;
} {
  const { privateKey, webhookSecret, oldWebhookSecret } = config.credentials;
  const password = config.databaseUrl && decodeURIComponent(new URL(config.databaseUrl).password);
  const models = config.modelSecrets.map(({ value }) => value);
  const lasting = [
    ...[privateKey, webhookSecret, oldWebhookSecret, config.openaiKey, password],
    ...models,
  ];
  const tokens = new Set<string>();
  return {
    secrets: () => [...lasting.flatMap((each) => each || []), ...tokens],
    remember(token, alive) {
      if (alive) tokens.add(token);
      else tokens.delete(token);
      // They live an hour; the oldest are long dead.
      for (const old of [...tokens].slice(0, -MAX_TOKENS)) tokens.delete(old);
    },
  };
}
