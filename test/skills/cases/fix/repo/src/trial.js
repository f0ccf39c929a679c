/** The day on which a trial of some months ends. */
export function trialEnd(start, months) {
  const end = new Date(`${start}T00:00:00Z`);
  end.setUTCMonth(end.getUTCMonth() + months);
  return end.toISOString().slice(0, 10);
}
