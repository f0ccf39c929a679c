// Accepts commands until it is killed, printing each number once it is stored.
// Arguments: the place as JSON, first number.
import { openStore } from "../../src/adapters/store/store.ts";
import { placeOf } from "./place.ts";
import { aCommand, aComment, aDelivery, admitAll, aJob } from "./store-rows.ts";

const [place = "", first = "0"] = process.argv.slice(2);
const store = await openStore(placeOf(place));
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
