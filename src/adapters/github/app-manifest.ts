import { z } from "zod";
import { UserError } from "../../core/errors.ts";

const TIMEOUT_MS = 20_000;

const conversion = z.object({
  id: z.int(),
  pem: z.string(),
  webhook_secret: z.string().nullish(),
  html_url: z.url(),
});

/**
 * Exchanges the code of a just registered App for its credentials
 * (docs.github.com/rest/apps/apps#create-a-github-app-from-a-manifest). Throws UserError, never with
 * anything of the answer in it.
 */
export async function convertManifest(
  apiUrl: string,
  code: string,
): Promise<{ appId: number; privateKey: string; webhookSecret: string | null; page: string }> {
  const response = await fetch(`${apiUrl}/app-manifests/${code}/conversions`, {
    method: "POST",
    headers: { accept: "application/vnd.github+json", "user-agent": "draftsmith" },
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 201) {
    await response.body?.cancel();
    throw new UserError(`it answered ${response.status}; a code is good for an hour and once`);
  }
  const parsed = conversion.safeParse(await response.json());
  if (!parsed.success) throw new UserError("its answer has no credentials in it");
  const { id, pem, webhook_secret, html_url } = parsed.data;
  return {
    appId: id,
    privateKey: pem.trim(),
    webhookSecret: webhook_secret ?? null,
    page: html_url,
  };
}
