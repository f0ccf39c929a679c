/** Hosts of the sandbox itself, which no proxy leads to. */
const INSIDE = ["localhost", "127.0.0.1", "::1"];

/**
 * Variables by which programs find the proxy. `java`: those for Java, too, which says on standard error
 * that it read them.
 */
export function proxyVariables(url: string, java: boolean): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "all_proxy"];
  const { hostname, port, username } = new URL(url);
  // Java takes no user from here.
  const forJava = java && username === "" ? { JAVA_TOOL_OPTIONS: javaOptions(hostname, port) } : {};
  return {
    ...Object.fromEntries(
      names.flatMap((name) => [
        [name, url],
        [name.toUpperCase(), url],
      ]),
    ),
    no_proxy: INSIDE.join(","),
    NO_PROXY: INSIDE.join(","),
    NODE_USE_ENV_PROXY: "1",
    ...forJava,
  };
}

function javaOptions(host: string, port: string): string {
  return [
    ...["http", "https"].flatMap((scheme) => [
      `-D${scheme}.proxyHost=${host}`,
      `-D${scheme}.proxyPort=${port}`,
    ]),
    "-Dhttp.nonProxyHosts=localhost|127.*|[::1]",
  ].join(" ");
}
