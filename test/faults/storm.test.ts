import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { commentEvent } from "../support/comment-event.ts";
import { type Door, post, postTimed, type Sent, startDoor } from "../support/door.ts";
import { sqlOn } from "../support/open-test-store.ts";
import { PATIENCE } from "../support/world-repository.ts";
import { nightly } from "./size.ts";

const SIZE = nightly ? 1000 : 250;
const INSTALLATIONS = 4;
const PEOPLE = 10;
/** Open jobs of an installation: of what is asked for about half fits. */
const BACKLOG = Math.floor(SIZE / 12);
const COPIES = 50;
/** GitHub takes 65,536 characters for a comment. */
const LONGEST = 60_000;

/** A comment of its own, long as some are; what is no command asks for nothing. */
function comment(number: number, command: boolean): Sent {
  const filler = "as we said before, ".repeat((number * 7919) % Math.floor(LONGEST / 20));
  const person = number % PEOPLE;
  const author = { id: 100 + person, login: `person-${person}`, type: "User" };
  const { payload } = commentEvent({
    commentId: 5000 + number,
    body: `${filler}\n\n${command ? "/codex tidy up" : "What about the tests?"}\n`,
    author,
    sender: author,
  });
  const at = number % INSTALLATIONS;
  const told = {
    ...payload,
    installation: { ...payload.installation, id: 7 + at },
    repository: { ...payload.repository, id: 42 + at, name: `shop-${at}` },
  };
  return { guid: randomUUID(), body: JSON.stringify(told) };
}

/** Of ten 6 are commands, 2 ask for nothing, 1 is sent again by hand, 1 comes by another hook; one comes 50 times. */
function storm(): { sent: Sent[]; commands: Sent[] } {
  const commands: Sent[] = [];
  const sent: Sent[] = [];
  for (let number = 0; sent.length < SIZE - COPIES; number += 1) {
    const kind = number % 10;
    const earlier = commands[Math.floor(commands.length / 2)];
    if (kind < 6) {
      const each = comment(number, true);
      commands.push(each);
      sent.push(each);
    } else if (kind < 8) sent.push(comment(number, false));
    else if (earlier) sent.push(kind === 8 ? earlier : { ...earlier, guid: randomUUID() });
  }
  const many = comment(1_000_000, true);
  commands.push(many);
  return { commands, sent: [...sent, ...Array.from({ length: COPIES }, () => many)] };
}

function memoryMb(door: Door, field: "VmRSS" | "VmHWM"): number {
  const status = readFileSync(`/proc/${door.pid()}/status`, "utf8");
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
}

it(`storm-01 ${SIZE} webhooks within a second, with noise, copies and more than the backlog takes: each is taken or answered 503, and what was taken is there once`, {
  timeout: (60_000 + SIZE * 120) * PATIENCE,
}, async () => {
  const { sent, commands } = storm();
  const door = await startDoor({ backlog: BACKLOG });
  const before = memoryMb(door, "VmRSS");
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());

  const answers = await Promise.all(
    sent.map(async (each, at) => {
      await sleep((at * 1000) / sent.length);
      return { each, ...(await postTimed(agent, door.port(), each)) };
    }),
  );
  const peak = memoryMb(door, "VmHWM") - before;
  const refused = answers.filter(({ status }) => status !== 200);
  expect(refused.filter(({ status }) => status !== 503)).toEqual([]);
  const slowest = Math.max(...answers.map(({ ms }) => ms));
  expect(peak).toBeLessThan(300);

  // As GitHub, asked for them: what was not taken comes again.
  for (const { each } of refused) {
    while ((await post(agent, door.port(), each)) !== 200) await sleep(100);
  }

  const jobs = await sqlOn(
    door.place,
    "select installation_id as at, count(*) as jobs from jobs group by 1",
  );
  expect(
    jobs.map((row) => ({ at: Number(row.at), jobs: Number(row.jobs) })).sort((a, b) => a.at - b.at),
  ).toEqual(Array.from({ length: INSTALLATIONS }, (_, at) => ({ at: 7 + at, jobs: BACKLOG })));
  const rows = await sqlOn(
    door.place,
    "select c.key, count(j.id) as jobs, count(distinct o.key) as boards from commands c left join jobs j on j.command_id = c.id left join outbox o on o.key = 'board:' || c.id group by c.key",
  );
  expect(rows).toHaveLength(INSTALLATIONS * BACKLOG);
  expect(rows.filter((row) => Number(row.jobs) !== 1 || Number(row.boards) !== 1)).toEqual([]);
  const heard = await sqlOn(door.place, "select key, actor_id, repo_id, rule, told from intakes");
  expect(heard).toHaveLength(commands.length);
  // That the backlog is full is told once to a person on an issue, however often they ask.
  const told = new Map<string, number>();
  for (const { actor_id, repo_id, rule, told: was } of heard) {
    if (rule === null) continue;
    const who = `${actor_id} in ${repo_id}`;
    told.set(who, (told.get(who) ?? 0) + Number(was));
  }
  expect(told.size).toBeGreaterThan(0);
  expect([...told].filter(([, times]) => times !== 1)).toEqual([]);
  const said = await sqlOn(door.place, "select key from outbox where key like 'answer:%'");
  expect(said).toHaveLength(told.size);
  const late = answers.filter(({ status, ms }) => status === 200 && ms > 2_000).length;
  console.log(
    `${sent.length} webhooks in a second: ${refused.length} answered 503, ${late} taken after more than 2 s, ` +
      `slowest answer ${Math.round(slowest)} ms, ${peak.toFixed(0)} MB more memory at most`,
  );
});
