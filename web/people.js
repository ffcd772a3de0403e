// people.js says how a person is shown: a connection has only an id, an author
// only a name.

/** shortID is enough of a connection id to tell two apart at a glance. */
export function shortID(connectionID) {
  return connectionID.replace(/=+$/, "").slice(0, 6);
}

/** initials are the first letters of the first and the last word of a name. */
export function initials(name) {
  const words = name.split(/[\s-]+/).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => Array.from(word ?? "")[0] ?? "");
  return letters.join("").toLocaleUpperCase() || "?";
}

/** hue is an angle on the colour wheel, always the same for a name. */
export function hue(name) {
  let hash = 2166136261; // FNV-1a
  for (const unit of name) hash = Math.imul(hash ^ unit.codePointAt(0), 16777619);
  return (hash >>> 0) % 360;
}

/** presence is the line that says who came or went, and why. */
export function presence(kind, who, reason) {
  if (kind === "joined") return `${who} joined`;
  const verbs = { disconnected: "disconnected", expired: "timed out", banned: `${who === "You" ? "were" : "was"} removed` };
  return `${who} ${verbs[reason] ?? "left"}`;
}

/** clock formats when something was said: the time of day, and the day if it is another. */
export function clock(date, now = new Date()) {
  const time = date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  if (date.toDateString() === now.toDateString()) return time;
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return `${date.toLocaleDateString([], { day: "numeric", month: "short", year })}, ${time}`;
}
