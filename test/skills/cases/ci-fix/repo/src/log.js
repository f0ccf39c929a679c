/** Says something to whoever runs the reports. */
export function log(text) {
  console.error(`[reports] ${text}`);
}
