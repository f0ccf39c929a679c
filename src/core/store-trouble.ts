/** What keeps a database from working, in words for its operator. */
export interface StoreTrouble {
  kind: "full" | "read_only" | "damaged" | "refused" | "unreachable";
  words: string;
  remedy: string;
}

const RESTORE =
  "stop the server, keep the damaged database for later, and restore the last backup (docs/backup.md)";

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const SQLITE: Record<number, StoreTrouble> = {
  3: refused("SQLite may not use it", "give the user of the server the right to its file"),
  5: refused("another process holds its lock", "end whatever else has it open"),
  8: readOnly("the database is read-only", "make its file and directory writable for the server"),
  10: full("the disk fails, or has no room", "look at the system's log and at the free space"),
  11: { kind: "damaged", words: "the database is damaged", remedy: RESTORE },
  13: full("the disk is full", "free some space; the server goes on by itself"),
  14: refused(
    "its file cannot be opened",
    "make its directory writable for the server, and free some space",
  ),
  26: {
    kind: "damaged",
    words: "the file is no database of Draftsmith's, or damaged",
    remedy: RESTORE,
  },
  1032: refused(
    "its file was taken away or replaced",
    "put it back; or stop the server, restore the last backup (docs/backup.md) and start it again",
  ),
};

/** SQLSTATE codes of PostgreSQL: whole, or by their class (postgresql.org/docs/current/errcodes-appendix.html). */
const POSTGRES: Record<string, StoreTrouble> = {
  "08": unreachable("the connection to PostgreSQL failed", "look whether it runs"),
  "25006": readOnly(
    "PostgreSQL takes no writes there: a standby, or read-only by a setting",
    "let DATABASE_URL name the primary server, or set default_transaction_read_only to off",
  ),
  "25P03": unreachable(
    "PostgreSQL ended a transaction that stood still",
    "raise its idle_in_transaction_session_timeout",
  ),
  "25P04": unreachable("PostgreSQL ended a long transaction", "raise its transaction_timeout"),
  "28000": refused(
    "PostgreSQL lets this user or address not in",
    "look at the user name in DATABASE_URL, and allow it in pg_hba.conf (with TLS: add ?sslmode=require)",
  ),
  "28P01": refused(
    "PostgreSQL does not accept the password",
    "put the right one into DATABASE_URL, special characters percent-encoded (encodeURIComponent)",
  ),
  "3D000": refused(
    "there is no database of that name",
    "make it (createdb), or name another one at the end of DATABASE_URL",
  ),
  "40": unreachable(
    "PostgreSQL ended a transaction that stood in the way of another",
    "nothing is to be done: it is tried again",
  ),
  "42501": refused(
    "the user of DATABASE_URL may not do that there",
    "make it the owner of the database, or grant it CREATE on the database and its schema public",
  ),
  "53100": full("the disk of PostgreSQL is full", "free some space there; the server goes on"),
  "53": unreachable(
    "PostgreSQL has no room for more",
    "raise its max_connections or memory, or start fewer processes",
  ),
  "55P03": unreachable("PostgreSQL waited too long for a lock", "raise its lock_timeout"),
  "57P": unreachable("PostgreSQL is starting or stopping", "wait, or start it"),
  "57P05": unreachable(
    "PostgreSQL ended a connection that stood still",
    "raise its idle_session_timeout",
  ),
  "57014": unreachable(
    "PostgreSQL took too long to answer",
    "look at what it does (pg_stat_activity)",
  ),
  "58": full("PostgreSQL's disk fails, or has no room", "look at PostgreSQL's own log"),
  XX001: { kind: "damaged", words: "PostgreSQL found damaged data", remedy: RESTORE },
  XX002: { kind: "damaged", words: "PostgreSQL found a damaged index", remedy: RESTORE },
};

/** The system's codes for a server that cannot be reached. */
const NETWORK: Record<string, StoreTrouble> = {
  ECONNREFUSED: unreachable(
    "nothing listens at the address of DATABASE_URL",
    "start PostgreSQL there, or correct host and port",
  ),
  ENOTFOUND: unreachable("the host of DATABASE_URL is not known", "correct its name"),
  EAI_AGAIN: unreachable(
    "the host of DATABASE_URL cannot be looked up",
    "correct its name, or mend the name service",
  ),
  EHOSTUNREACH: unreachable(
    "no way leads to the host of DATABASE_URL",
    "correct the address, or mend the network",
  ),
  ENETUNREACH: unreachable(
    "no way leads to the host of DATABASE_URL",
    "correct the address, or mend the network",
  ),
  ETIMEDOUT: unreachable(
    "the host of DATABASE_URL does not answer",
    "correct host and port, or open the firewall",
  ),
  ECONNRESET: unreachable(
    "the connection was cut",
    "look whether PostgreSQL listens there, and nothing else",
  ),
  EPIPE: unreachable("the connection was cut", "look whether PostgreSQL runs"),
  ENOENT: unreachable(
    "there is no socket of PostgreSQL at that path",
    "start PostgreSQL, or correct the host in DATABASE_URL",
  ),
  ENOSPC: full("the disk is full", "free some space; the server goes on by itself"),
  EROFS: readOnly("the file system is read-only", "mount it writable"),
};

/** Words of the PostgreSQL client, which gives them no code. */
const SAID: [RegExp, StoreTrouble][] = [
  [
    /does not support SSL/,
    refused("PostgreSQL offers no TLS there", "take sslmode out of DATABASE_URL"),
  ],
  [
    /(self-signed|unable to (get|verify)|certificate)/i,
    refused(
      "the certificate of PostgreSQL is not trusted",
      "name its authority in DATABASE_URL (sslrootcert=FILE)",
    ),
  ],
  [
    /password must be a string|no password/i,
    refused("PostgreSQL asks for a password", "put it into DATABASE_URL"),
  ],
  [
    /timeout (exceeded|expired)|timed out|was silent|Query read timeout/i,
    unreachable(
      "the host of DATABASE_URL does not answer",
      "correct host and port, or open the firewall",
    ),
  ],
  [
    /Connection terminated|connection .*(closed|ended)|server closed/i,
    unreachable("the connection was cut", "look whether PostgreSQL listens there"),
  ],
  [
    /message.*(code|type)|invalid response|unexpected/i,
    refused(
      "what answers there is no PostgreSQL",
      "correct host and port (PostgreSQL's is usually 5432)",
    ),
  ],
  [
    /URI malformed|Invalid URL/,
    refused(
      "DATABASE_URL is no URL",
      "write special characters of the password percent-encoded (encodeURIComponent)",
    ),
  ],
];

/** The PostgreSQL client on a connection that broke while it was used; it gives it no code. */
const LOST =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying to connect|Query read timeout|PostgreSQL was silent|There was an error establishing an SSL connection)/;
const CUT = unreachable("the connection was cut", "look whether PostgreSQL runs");

/** What is wrong with the database when it failed with this error; null when the error is about something else. */
export function storeTrouble(error: Error): StoreTrouble | null {
  // A host with several addresses fails with one error for each.
  if (error instanceof AggregateError) {
    const [first] = error.errors;
    if (first instanceof Error) return storeTrouble(first);
  }
  if ("errcode" in error && "code" in error && error.code === "ERR_SQLITE_ERROR") {
    // The low byte is the kind; the rest says how it came about.
    const code = Number(error.errcode);
    return SQLITE[code] ?? SQLITE[code & 0xff] ?? null;
  }
  const code = "code" in error ? String(error.code) : "";
  const known =
    NETWORK[code] ??
    POSTGRES[code] ??
    (code.length === 5 ? (POSTGRES[code.slice(0, 3)] ?? POSTGRES[code.slice(0, 2)]) : undefined);
  if (known) return known;
  return LOST.test(error.message) ? CUT : null;
}

/** The same while a database is being opened, when the client's own words are about nothing else. */
export function openingTrouble(error: Error): StoreTrouble | null {
  return storeTrouble(error) ?? SAID.find(([words]) => words.test(error.message))?.[1] ?? null;
}

function full(words: string, remedy: string): StoreTrouble {
  return { kind: "full", words, remedy };
}

function readOnly(words: string, remedy: string): StoreTrouble {
  return { kind: "read_only", words, remedy };
}

function refused(words: string, remedy: string): StoreTrouble {
  return { kind: "refused", words, remedy };
}

function unreachable(words: string, remedy: string): StoreTrouble {
  return { kind: "unreachable", words, remedy };
}
