import { createSign, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { asApp, installation, privateKey, standIn } from "./github-support.ts";

const desk = { owner: "harbour", repo: "desk" };

function jwt(claims: object, key = privateKey): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createSign("sha256").update(signed).sign(key, "base64url")}`;
}

describe("credentials", () => {
  it("takes the App's own JWT for ten minutes at most, signed by its own key", async () => {
    const { github } = await standIn();
    const now = Math.floor(Date.now() / 1000);
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const pem = other.export({ type: "pkcs8", format: "pem" }).toString();
    const ask = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await fetch(`${github.url}/app`, { headers });
      return `${answer.status} ${((await answer.json()) as { message?: string }).message ?? "ok"}`;
    };

    expect(await ask(jwt({ iat: now - 30, exp: now + 570, iss: 4242 }))).toBe("200 ok");
    expect(await ask(jwt({ iat: now, exp: now + 570, iss: 4242 }, pem))).toMatch(/^401.*decoded/);
    expect(await ask(jwt({ iat: now, exp: now + 700, iss: 4242 }))).toMatch(/^401.*too far/);
    expect(await ask(jwt({ iat: now - 700, exp: now - 60, iss: 4242 }))).toMatch(
      /^401.*future time/,
    );
    expect(await ask(jwt({ iat: now, exp: now + 60, iss: 1 }))).toBe("404 Integration not found");
    expect(await ask("ghs_nobody")).toBe("401 Bad credentials");
  });

  it("binds an installation token to the repository and permissions it was asked for", async () => {
    const { github } = await standIn();
    const { octokit } = await installation(github, { contents: "read", issues: "write" });

    expect((await octokit.rest.repos.get(desk)).data.default_branch).toBe("main");
    await expect(octokit.rest.repos.get({ ...desk, repo: "other" })).rejects.toMatchObject({
      status: 404,
    });
    await expect(
      octokit.rest.git.createRef({ ...desk, ref: "refs/heads/x", sha: "0".repeat(40) }),
    ).rejects.toMatchObject({
      status: 403,
      message: expect.stringContaining("not accessible by integration"),
    });
    await expect(octokit.rest.pulls.list(desk)).rejects.toMatchObject({ status: 403 });
    await expect(octokit.rest.apps.getAuthenticated()).rejects.toMatchObject({ status: 401 });
  });

  it("grants nothing the App does not have", async () => {
    const { github } = await standIn();
    const asked = { installation_id: github.state.installationId };
    const tokens = asApp(github).rest.apps;
    await expect(
      tokens.createInstallationAccessToken({ ...asked, permissions: { workflows: "write" } }),
    ).rejects.toMatchObject({ status: 422 });
    await expect(
      tokens.createInstallationAccessToken({ ...asked, repository_ids: [9] }),
    ).rejects.toMatchObject({ status: 422 });
    await expect(
      tokens.createInstallationAccessToken({ installation_id: 1 }),
    ).rejects.toMatchObject({ status: 404 });
  });

  it("forgets a revoked token", async () => {
    const { github } = await standIn();
    const { octokit } = await installation(github, { contents: "read" });
    await octokit.rest.apps.revokeInstallationAccessToken();
    await expect(octokit.rest.repos.get(desk)).rejects.toMatchObject({ status: 401 });
  });
});
