import { parentPort } from "node:worker_threads";
import {
  type HiddenUse,
  measureHidden,
  measureOwnMemory,
  measureTrees,
  measureWritten,
  type TreeUse,
} from "./processes.ts";

/** A question about processes: to look at thousands of them takes too long for the server's own thread. */
export type Question =
  | { about: "trees"; roots: number[] }
  | { about: "memory"; root: number }
  | { about: "written"; root: number }
  | { about: "hidden"; root: number; device: number };

export type Answer =
  | { about: "trees"; trees: TreeUse[] }
  | { about: "memory" | "written"; bytes: number }
  | { about: "hidden"; hidden: HiddenUse };

parentPort?.on("message", ({ id, question }: { id: number; question: Question }) => {
  parentPort?.postMessage({ id, answer: look(question) });
});

function look(question: Question): Answer {
  switch (question.about) {
    case "trees":
      return { about: "trees", trees: measureTrees(question.roots) };
    case "memory":
      return { about: "memory", bytes: measureOwnMemory(question.root) };
    case "written":
      return { about: "written", bytes: measureWritten(question.root) };
    case "hidden":
      return { about: "hidden", hidden: measureHidden(question.root, question.device) };
  }
}
