import type { Edit, Mutation } from "./mutation.ts";

const NETWORK = "src/adapters/sandbox/network";

/** Commands stand in the host's own network. */
const hostNetwork: Edit = {
  file: "src/adapters/sandbox/bwrap.ts",
  find: `    if (word === "--cap-add") at += 1;\n`,
  replace: `    if (word === "--unshare-net") continue;\n    if (word === "--cap-add") at += 1;\n`,
};

/** The server tries its sandbox before it trusts it, and would notice. */
const blindProbe: Edit = {
  file: "src/adapters/sandbox/assess.ts",
  find: "if (holes.length === 0)",
  replace: "if (holes.length >= 0)",
};

const mutations: Mutation[] = [
  { attack: "network-01", defence: "a network of its own", edits: [hostNetwork, blindProbe] },
  { attack: "network-02", defence: "a network of its own", edits: [hostNetwork, blindProbe] },
  {
    attack: "network-03",
    defence: "no look-up before the name is judged",
    file: `${NETWORK}/outlet.ts`,
    find: `      const name = plainDomain(host);\n`,
    replace: `      const name = plainDomain(host);\n      void internet.lookup(name);\n`,
  },
  {
    attack: "network-04",
    defence: "a network of its own, and no Unix sockets",
    edits: [
      hostNetwork,
      blindProbe,
      {
        file: "src/adapters/sandbox/bwrap.ts",
        find: `const [, shell = "", flag = "", last = ""] = words.slice(end);`,
        replace: `const [, shell = "", flag = "", filtered = ""] = words.slice(end);\n  const last = filtered.replace(/^(\\w+=\\S* )*\\S*apply-seccomp /, "");`,
      },
    ],
  },
  {
    attack: "network-05",
    defence: "names only, and only those on the list",
    file: `${NETWORK}/outlet.ts`,
    find: `if (fit && allowed.some((domain) => isWithin(name, domain))) {`,
    replace: `if ((fit && allowed.some((domain) => isWithin(name, domain))) || name === "2130706433") {`,
  },
  {
    attack: "network-06",
    defence: "public addresses only",
    file: `${NETWORK}/outlet.ts`,
    find: `known.filter(isPublicAddress)`,
    replace: `known.filter((address) => isPublicAddress(address) || true)`,
  },
  {
    attack: "network-07",
    defence: "one look-up: what was judged is connected to",
    file: `${NETWORK}/outlet.ts`,
    find: `await internet.connect(open, port)`,
    replace: `await internet.connect(await internet.lookup(name), port)`,
  },
  {
    attack: "network-08",
    defence: "host names in plain letters only",
    file: `${NETWORK}/outlet.ts`,
    find: `HOST.test(name) && `,
    replace: ``,
  },
  {
    attack: "network-09",
    defence: "the Host header is the judged name",
    file: `${NETWORK}/forward.ts`,
    find: `host: judged.name, ...framing(asked)`,
    replace: `host: asked.headers.host ?? judged.name, ...framing(asked)`,
  },
  {
    attack: "network-10",
    defence: "requests in a tunnel to port 80 are judged by the host they name",
    edits: [
      {
        file: `${NETWORK}/forward.ts`,
        find: `return absolute(url.startsWith("/") ? \`http://\${asked.headers.host ?? name}\${url}\` : url);`,
        replace: `return { host: name, port: 80, path: url };`,
      },
      {
        file: `${NETWORK}/forward.ts`,
        find: `host: judged.name, ...framing(asked)`,
        replace: `host: asked.headers.host ?? judged.name, ...framing(asked)`,
      },
    ],
  },
  {
    attack: "network-11",
    defence: "TLS is to the name of the tunnel",
    file: `${NETWORK}/tunnel.ts`,
    find: `if (plainDomain(said.name) !== name) {`,
    replace: `if (plainDomain(said.name) === "") {`,
  },
  {
    attack: "network-12",
    defence: "ports of the web only",
    file: `${NETWORK}/outlet.ts`,
    find: ` && WEB_PORTS.includes(port);`,
    replace: ` && [22, ...WEB_PORTS].includes(port);`,
  },
  {
    attack: "network-13",
    defence: "SOCKS connects and does nothing else",
    file: `${NETWORK}/socks-side.ts`,
    find: `if (command !== CONNECT) return`,
    replace: `if (command !== CONNECT && port === 0) return`,
  },
  {
    attack: "network-14",
    defence: "an outlet of its own for each command",
    edits: [
      {
        file: `${NETWORK}/outlet.ts`,
        find: `  const denied = new Set<string>();\n`,
        replace: `  const denied = new Set<string>();\n  for (const domain of allowed) everybody.push(domain);\n`,
      },
      {
        file: `${NETWORK}/outlet.ts`,
        find: `if (fit && allowed.some(`,
        replace: `if (fit && everybody.some(`,
      },
      {
        file: `${NETWORK}/outlet.ts`,
        find: `const MAX_NAME = 100;\n`,
        replace: `const MAX_NAME = 100;\nconst everybody: string[] = [];\n`,
      },
    ],
  },
  {
    attack: "network-15",
    defence: "a body in chunks stays in chunks",
    file: `${NETWORK}/forward.ts`,
    find: `if (headers["transfer-encoding"] !== undefined) return { "transfer-encoding": "chunked" };`,
    replace: ``,
  },
  {
    attack: "network-16",
    defence: "twenty hosts at most",
    file: "src/core/denied-hosts.ts",
    find: `.slice(0, MAX_HOSTS)`,
    replace: `.slice(0, 10 * MAX_HOSTS)`,
  },
  {
    attack: "network-17",
    defence: "256 connections of one command",
    file: `${NETWORK}/entrance.ts`,
    find: `if (seat.clients.size >= MAX_CLIENTS) return false;`,
    replace: `if (seat.clients.size >= 100 * MAX_CLIENTS) return false;`,
  },
  {
    attack: "network-22",
    defence: "requests of a connection are served one after another",
    edits: [
      {
        file: `${NETWORK}/http-side.ts`,
        find: `    await before;\n`,
        replace: ``,
      },
      {
        file: `${NETWORK}/http-side.ts`,
        find: `if (line.length === MAX_WAITING) return void socket.destroy();`,
        replace: ``,
      },
    ],
  },
  {
    attack: "network-23",
    defence: "a connection that nobody waits for is closed",
    file: `${NETWORK}/tunnel.ts`,
    find: `if (client.destroyed) return void upstream.destroy();`,
    replace: ``,
  },
  {
    attack: "network-24",
    defence: "a body with a length keeps it",
    file: `${NETWORK}/forward.ts`,
    find: `return length === undefined ? {} : { "content-length": length };`,
    replace: `return length === undefined ? {} : {};`,
  },
  {
    attack: "network-18",
    defence: "refused hosts are evidence",
    file: "src/jobs/verify.ts",
    find: `durationMs, output, deniedHosts });`,
    replace: `durationMs, output, deniedHosts: deniedHosts.slice(0, 0) });`,
  },
  {
    attack: "network-19",
    defence: "a failed setup names the hosts it wanted",
    file: "src/jobs/prepare.ts",
    find: "`; it tried to reach ${hostWords(deniedHosts, job.config.network)}`",
    replace: "hostWords([], job.config.network)",
  },
  {
    attack: "network-20",
    defence: "no wildcard above what anybody can register",
    file: "src/core/domains.ts",
    find: `return below === null ? null : openTo(below);`,
    replace: `return below === "" ? openTo(below) : null;`,
  },
  {
    attack: "network-21",
    defence: "the operator's list bounds every repository's",
    file: "src/core/repo-config.ts",
    find: `isBounded(domain, bound)`,
    replace: `isBounded(domain, null)`,
  },
];

export default mutations;
