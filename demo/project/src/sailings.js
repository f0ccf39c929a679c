export function findSailings(sailings, { from, to, day } = {}) {
  return sailings
    .filter((sailing) => !from || sailing.from === from)
    .filter((sailing) => !to || sailing.to === to)
    .filter((sailing) => !day || sailing.departs.startsWith(day))
    .filter((sailing) => seatsLeft(sailing) > 0)
    .sort((a, b) => a.departs.localeCompare(b.departs));
}

export function seatsLeft(sailing) {
  return Math.max(0, sailing.seats - sailing.sold);
}
