import type { Room } from "./assembly.ts";
import { isRecord, list, text } from "./json.ts";
import { saidBy } from "./responses-items.ts";
import { argumentsText } from "./tool-call.ts";

type Item = Record<string, unknown>;

/** The items of a reply as its events make them. */
export interface Slots {
  /** Takes an event that is not the end; tells whether it brought anything of the reply. */
  add(type: string, event: Item): boolean;
  items(): Item[];
}

interface Slot {
  place: unknown;
  id: string;
  item: Item;
  /** Whether the item itself has come, and not its pieces alone. */
  added: boolean;
  done: boolean;
  text: string;
  refusal: string;
  arguments: string;
}

/** More items than any reply has: a server that goes on is not listened to. */
const MAX_SLOTS = 500;

/** Collects the items of a Responses stream, by place, else by id, else by order. */
export function createSlots(room: Room): Slots {
  const slots: Slot[] = [];

  function open(event: Item, item: Item): Slot {
    const slot: Slot = {
      place: event.output_index,
      id: idOf(event),
      item,
      added: false,
      done: false,
      text: "",
      refusal: "",
      arguments: "",
    };
    if (slots.length < MAX_SLOTS) slots.push(slot);
    else room.drop();
    return slot;
  }

  function idOf(event: Item): string {
    return text(event.item_id) || text(isRecord(event.item) ? event.item.id : undefined);
  }

  /** The item that an event belongs to: by its id, at its place (ids change on the way of some servers), the last. */
  function slotOf(event: Item, type: string, fits: (slot: Slot) => boolean): Slot | undefined {
    const id = idOf(event);
    const place = event.output_index;
    const alike = slots.filter((slot) => slot.item.type === type);
    return (
      alike.findLast((slot) => id !== "" && slot.id === id) ??
      alike.findLast((slot) => place !== undefined && slot.place === place && fits(slot)) ??
      (id === "" && place === undefined ? alike.findLast(fits) : undefined)
    );
  }

  function piece(event: Item, type: string): Slot {
    const found = slotOf(event, type, (slot) => !slot.done) ?? slotOf(event, type, () => true);
    return found ?? open(event, { type });
  }

  return {
    add(type, event) {
      const item = isRecord(event.item) ? event.item : null;
      const delta = text(event.delta);
      switch (type) {
        case "response.output_item.added": {
          if (!item) return false;
          // Its pieces may have come before it.
          const early = slotOf(event, text(item.type), (slot) => !slot.added);
          if (early) early.item = { ...early.item, ...item };
          (early ?? open(event, item)).added = true;
          return true;
        }
        case "response.output_item.done": {
          if (!item) return false;
          const slot = slotOf(event, text(item.type), (each) => !each.done) ?? open(event, item);
          slot.item = { ...slot.item, ...item };
          slot.added = true;
          slot.done = true;
          return true;
        }
        case "response.output_text.delta":
          piece(event, "message").text += room.fitting(delta);
          return delta !== "";
        case "response.output_text.done": {
          const slot = piece(event, "message");
          if (slot.text === "") slot.text = room.fitting(text(event.text));
          return true;
        }
        case "response.refusal.delta":
          piece(event, "message").refusal += room.fitting(delta);
          return delta !== "";
        case "response.function_call_arguments.delta":
          piece(event, "function_call").arguments += room.fitting(argumentsText(event.delta));
          return true;
        case "response.function_call_arguments.done": {
          const slot = piece(event, "function_call");
          const told = argumentsText(event.arguments);
          if (told !== "") slot.arguments = told;
          if (text(event.name)) slot.item = { name: event.name, ...slot.item };
          return true;
        }
      }
      return /^response\.reasoning.*\.delta$/.test(type) && delta !== "";
    },
    items: () => slots.map(toItem),
  };
}

/** The item as its last event gave it, what that leaves out filled from the pieces. */
function toItem(slot: Slot): Item {
  const { item } = slot;
  switch (item.type) {
    case "function_call": {
      const told = argumentsText(item.arguments);
      return { ...item, arguments: slot.done && told !== "" ? told : slot.arguments || told };
    }
    case "message": {
      const { content, refusal } = saidBy([item]);
      if (content !== "" || refusal !== "" || list(item.content).length > 1) return item;
      const parts = [
        ...(slot.text ? [{ type: "output_text", text: slot.text, annotations: [] }] : []),
        ...(slot.refusal ? [{ type: "refusal", refusal: slot.refusal }] : []),
      ];
      return { ...item, role: "assistant", content: parts };
    }
    default:
      return item;
  }
}
