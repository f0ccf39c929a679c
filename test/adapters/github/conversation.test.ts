import nock from "nock";
import { describe, expect, it } from "vitest";
import { API, mints, repo, setUp, useGitHubEdge } from "./edge.ts";

useGitHubEdge();

const ada = { id: 5, login: "ada", type: "User" };
const ISSUE = "/repos/acme/shop/issues/5";
const REVIEWS = "/repos/acme/shop/pulls/5/comments?sort=created&direction=desc&per_page=100";

const time = (minute: number) => new Date(Date.UTC(2026, 1, 1, 0, minute)).toISOString();

function comment(id: number, user: object | null = ada) {
  return { id, body: `comment ${id}`, user, created_at: time(id), updated_at: time(id) };
}

const review = (id: number) => ({ ...comment(id), path: "src/a.ts", line: id });

function thread(count: number) {
  return Array.from({ length: count }, (_, index) => comment(index + 1));
}

/** An issue with these comments, of whose pages only some may be asked for; the issue itself never. */
function hasComments(all: object[], pages: number[]): void {
  const last = Math.ceil(all.length / 100);
  const link = last > 1 ? { link: `<${API}/x?per_page=100&page=${last}>; rel="last"` } : {};
  for (const page of pages) {
    nock(API)
      .get(`${ISSUE}/comments?page=${page}&per_page=100`)
      .reply(200, all.slice((page - 1) * 100, page * 100), link);
  }
}

const read = (commentId: number, isPull = false) =>
  setUp().github.conversation(repo, 5, {
    way: { kind: "comment", id: commentId },
    at: time(commentId),
    isPull,
  });

describe("a conversation", () => {
  it("has the comments with who wrote them, and nothing of the issue itself", async () => {
    mints();
    const edited = { ...comment(1), updated_at: time(7) };
    hasComments([edited, comment(2, null), { ...comment(3), body: null }], [1]);
    expect(await read(9)).toEqual({
      unread: 0,
      remarks: [
        {
          kind: "comment",
          id: 1,
          author: ada,
          place: null,
          body: "comment 1",
          createdAt: time(1),
          updatedAt: time(7),
        },
        expect.objectContaining({ id: 2, author: null }),
        expect.objectContaining({ id: 3, body: "" }),
      ],
    });
  });

  it("keeps the newest 100 comments and does not read older pages", async () => {
    mints();
    hasComments(thread(730), [1, 8, 7]);
    const { remarks, unread } = await read(731);
    expect(remarks.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, at) => 631 + at));
    expect(unread).toBe(630);
  });

  it("finds the comments before a command below a flood that came behind it", async () => {
    mints();
    hasComments(thread(930), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
    const { remarks } = await read(40);
    expect(remarks.filter(({ id }) => id < 40)).toHaveLength(39);
  });

  it("gives up on a flood without an end, and keeps what stands at its beginning", async () => {
    mints();
    const pages = Array.from({ length: 20 }, (_, at) => 100 - at);
    hasComments(thread(9930), [1, ...pages]);
    const { remarks, unread } = await read(40);
    expect(remarks.filter(({ id }) => id < 40)).toHaveLength(39);
    expect(unread).toBe(7900);
  });

  it("reads on where the host does not count its pages", async () => {
    mints();
    const all = thread(250);
    for (const page of [1, 2, 3]) {
      nock(API)
        .get(`${ISSUE}/comments?page=${page}&per_page=100`)
        .reply(200, all.slice((page - 1) * 100, page * 100));
    }
    const { remarks, unread } = await read(251);
    expect(remarks[0]?.id).toBe(151);
    expect(unread).toBe(150);
  });

  it("of a pull request has the comments on its lines, in order of time", async () => {
    mints();
    hasComments([comment(1), comment(9)], [1]);
    nock(API)
      .get(`${REVIEWS}&page=1`)
      .reply(200, [
        { ...comment(8), path: "src/b.ts", line: null, original_line: 3 },
        { ...comment(4), path: "src/a.ts", line: 12 },
        { ...comment(2), path: "src/a.ts", line: null, original_line: null },
      ]);
    const { remarks } = await read(10, true);
    expect(remarks.map(({ kind, id, place }) => [kind, id, place])).toEqual([
      ["comment", 1, null],
      ["review", 2, "src/a.ts"],
      ["review", 4, "src/a.ts:12"],
      ["review", 8, "src/b.ts:3"],
      ["comment", 9, null],
    ]);
  });

  it("finds review comments below a flood that came behind the command", async () => {
    mints();
    hasComments([], [1]);
    const all = Array.from({ length: 230 }, (_, at) => review(230 - at));
    for (const page of [1, 2, 3]) {
      nock(API)
        .get(`${REVIEWS}&page=${page}`)
        .reply(200, all.slice((page - 1) * 100, page * 100));
    }
    const { remarks } = await read(20, true);
    expect(remarks.filter(({ id }) => id <= 20)).toHaveLength(20);
  });

  it("goes without review comments on a host that has none", async () => {
    mints();
    hasComments([comment(1)], [1]);
    nock(API).get(`${REVIEWS}&page=1`).reply(404, { message: "Not Found" });
    expect((await read(10, true)).remarks).toHaveLength(1);
  });
});
