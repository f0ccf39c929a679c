/** Where a command finds the proxy: `/dev` is new for every command, so no job can plant a link there. */
export const RELAY_SOCKET = "/dev/draftsmith-proxy";

const PORT = 3128;

/** The proxy as programs inside are told of it. */
export const RELAY_URL = `http://127.0.0.1:${PORT}`;

/** The programs that stand between the port inside and the socket of the proxy. */
export interface Relay {
  /** Host path of the command's socket. */
  socket: string;
  bash: string;
  socat: string;
}

/**
 * The shell lines that start a relay inside and then become `line`, once it listens. They start no
 * program but the relay, which no filter of system calls stands around. The namespace is new, so one
 * TCP socket in use is the relay's.
 */
export function relayScript(relay: Relay, line: string): string {
  const listen = `TCP4-LISTEN:${PORT},bind=127.0.0.1,fork,reuseaddr,backlog=1024`;
  return [
    `'${relay.socat}' -t 30 ${listen} UNIX-CONNECT:${RELAY_SOCKET} </dev/null >/dev/null 2>&1 &`,
    "for ((n = 0; n < 20000; n++)); do",
    "  while read -r kind _ used _; do [ $kind != TCP: ] || break; done </proc/net/sockstat",
    '  [ "$used" = 0 ] && kill -0 $! || break',
    "done 2>/dev/null",
    line.replace(/^(\w+=\S* )*/, "$&exec "),
  ].join("\n");
}
