import { git } from "../../demo/github/bare.ts";
import type { Repository } from "../../demo/github/state.ts";
import type { World } from "../support/world.ts";
import type { Road } from "./github-roads.ts";

/** Words with which an installation is refused everything. */
export type Refused = Map<number, { status: number; message: string }>;

/** What people do while a job works; in the repository of the plot's name, on a road. */
export interface Plot {
  happens: (repository: Repository, means: { world: World; refused: Refused }) => unknown;
  road?: Road;
}

/** An installation of another owner, and one that is not ours. */
const OTHER = 2000;

/** What happens in which repository while a job works there. */
export const PLOTS: Record<string, Plot> = {
  suspended: {
    happens: ({ installationId }, { refused }) => {
      refused.set(installationId, { status: 403, message: "This installation has been suspended" });
    },
  },
  uninstalled: {
    happens: ({ installationId }, { refused }) => {
      refused.set(installationId, { status: 401, message: "Bad credentials" });
    },
  },
  archived: {
    happens: (repository) => {
      repository.archived = true;
    },
  },
  deleted: {
    happens: (repository, { world }) => {
      const all = world.github.state.repositories;
      all.splice(all.indexOf(repository), 1);
    },
  },
  moved: {
    happens: (repository) => {
      repository.formerNames.push("acme/moved");
      Object.assign(repository, { owner: "globex", installationId: OTHER });
    },
  },
  lost: {
    happens: (repository) => {
      repository.formerNames.push("acme/lost");
      Object.assign(repository, { owner: "umbrella", installationId: OTHER + 1, installed: false });
    },
  },
  rewound: {
    happens: async ({ path: bare }) => {
      const identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"];
      const words = ["commit-tree", "main^{tree}", "-m", "Begin anew"];
      const anew = await git(bare, [...identity, ...words]);
      await git(bare, ["update-ref", "refs/heads/main", anew]);
    },
  },
  unbased: { happens: ({ path: bare }) => git(bare, ["update-ref", "-d", "refs/heads/main"]) },
  locked: {
    happens: ({ issues }) => {
      const issue = issues.get(1);
      if (issue) issue.locked = true;
    },
  },
  "bare-board": {
    happens: ({ comments }) => {
      for (const [id, { body }] of comments) if (body.includes(":board:")) comments.delete(id);
    },
  },
  closed: {
    happens: ({ issues, pulls }) => {
      for (const number of pulls.keys()) {
        const issue = issues.get(number);
        if (issue) issue.state = "closed";
      }
    },
    road: "follow-up",
  },
  unbranched: {
    happens: async ({ path: bare, pulls }) => {
      for (const { head } of pulls.values()) {
        await git(bare, ["update-ref", "-d", `refs/heads/${head}`]);
      }
    },
    road: "follow-up",
  },
};
