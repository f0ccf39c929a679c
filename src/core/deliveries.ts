/** One attempt of GitHub to deliver a webhook to the App. */
export interface SentDelivery {
  /** The same for all attempts of one delivery. */
  guid: string;
  /** GitHub's number of this attempt, in digits: it may be above 2^53. */
  id: string;
  event: string;
  action: string | null;
  /** In ms since the epoch. */
  deliveredAt: number;
  /** Whether it was answered 2xx. */
  ok: boolean;
}

/** GitHub's own list of what it sent to the App. */
export interface SentDeliveries {
  /**
   * A page of it, newest first; `cursor` is the `next` of the page before, null for the first page. Null
   * when this host keeps no such list.
   */
  sent(cursor: string | null): Promise<{ deliveries: SentDelivery[]; next: string | null } | null>;
  /** Asks for one to be sent again, under its GUID; false when GitHub cannot (any more). */
  sendAgain(id: string): Promise<boolean>;
}

/** A delivery that failed, or never came, and that GitHub is to be asked for again. */
export interface OwedDelivery {
  guid: string;
  /** GitHub's number of the attempt that is to be repeated. */
  id: string;
  event: string;
  /** In ms since the epoch. */
  deliveredAt: number;
}

/** What is known of deliveries by their GUIDs. */
export interface DeliveryStore {
  /** Which of them came and were stored. */
  came(guids: string[]): Promise<Set<string>>;
  /** Keeps what is to be asked for; one that is kept, or was settled, stays as it is. */
  owe(deliveries: OwedDelivery[]): Promise<void>;
  /** What is to be asked for now: comments first, then the oldest; with how often it was asked for. */
  owed(most: number): Promise<(OwedDelivery & { asks: number })[]>;
  /** Stores how often one was asked for, and how soon it may be again. */
  ask(guid: string, how: { asks: number; againInMs: number }): Promise<void>;
  /** They are asked for no more. */
  settleOwed(guids: string[]): Promise<void>;
  /** Forgets what came or was owed longer than `ms` ago. */
  forget(ms: number): Promise<void>;
}
