// Accepts commands until it is killed, printing each number once it is stored.
// Arguments: file, first number.
import { openStore } from "../../src/adapters/store/store.ts";
import { aCommand, aComment, aDelivery, admitAll, aJob } from "./store-rows.ts";

const [file = "", first = "0"] = process.argv.slice(2);
const store = await openStore({ file });
for (let number = Number(first); ; number += 1) {
  const command = aCommand(`command-${number}`);
  const intake = {
    delivery: aDelivery(`delivery-${number}`),
    command,
    jobs: [1, 2].map((place) => aJob(`job-${number}-${place}`, command, { number: place })),
    acts: [aComment(`board-${number}`, "queued")],
    admit: admitAll,
  };
  if ((await store.accept(intake)) === "accepted") console.log(number);
}
