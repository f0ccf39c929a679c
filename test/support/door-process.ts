// The way in as a process of its own: our door, Probot, the gate and the real store; GitHub says yes to all.
// Arguments: the place as JSON, the port, the webhook secret, and how many open jobs an installation may have.
// Says "listens" once it does.
import { pino } from "pino";
import { openStore } from "../../src/adapters/store/store.ts";
import { openDoors } from "../../src/compose/doors.ts";
import type { AppConfig, Credentials } from "../../src/config.ts";
import type { GitHub } from "../../src/core/ports.ts";
import type { Outbox } from "../../src/jobs/outbox.ts";
import { anyModel } from "./any-model.ts";
import { placeOf } from "./place.ts";

const [place = "", port = "0", webhookSecret = "", backlog = ""] = process.argv.slice(2);
const log = pino({ level: "silent" });
const store = await openStore(placeOf(place));
const killSwitch = { paused: async () => null };
const github: GitHub = {
  permission: async () => "write",
  repository: async () => ({ defaultBranch: "main", archived: false }),
  branchSha: async (_, branch) => (branch === "main" ? "c".repeat(40) : null),
  file: async () => null,
  pull: () => Promise.reject(new Error("all is asked for on issues")),
  conversation: async () => ({ remarks: [], unread: 0 }),
  threads: async () => [],
  readGit: () => Promise.reject(new Error("nothing is read by git here")),
};
/** What is told stays in the rows, where the test looks. */
const outbox: Outbox = {
  put: () => Promise.reject(new Error("everything is stored with its comment")),
  tell: (commandId, make) =>
    store.putTold(commandId, (told) => make(told).map(({ keyed }) => ({ keyed, spacingMs: 0 }))),
  perform: () => Promise.reject(new Error("nothing is published here")),
  valueOf: async () => null,
  wake: () => undefined,
  stop: async () => undefined,
};
const most = 1_000_000;
await openDoors(
  {
    host: "127.0.0.1",
    port: Number(port),
    trustProxy: 1,
    logLevel: "fatal",
    apiUrl: "http://127.0.0.1:9",
    credentials: { appId: 1, webhookSecret, oldWebhookSecret: null } as unknown as Credentials,
  } as AppConfig & { credentials: Credentials },
  {
    submit: {
      github,
      killSwitch,
      repositories: null,
      network: null,
      quotas: {
        person: most,
        repository: most,
        installation: Number(backlog),
        commandsPerHour: most,
      },
      intake: store,
      self: { login: async () => "draftsmith[bot]" },
      commands: store,
      stops: store,
      outbox,
      sandbox: { check: async () => ({ ok: true }) },
      skills: [],
      figures: store,
      homes: { organisation: async () => null, files: async () => null },
      models: anyModel(),
      allow: () => Promise.reject(new Error("nothing is let out here")),
      stop: () => Promise.reject(new Error("nothing is stopped here")),
      redact: (text) => text,
      start: () => undefined,
      now: Date.now,
      log,
    },
    healthy: async () => true,
    turnedAway: () => undefined,
    log,
  },
);
console.log("listens");
