// people.js says how a person is shown, and in what words: a user has an id and a
// name, a connection of nobody known only an id, an author at least a name.

/** personKey is one text for a user, or for a connection of nobody known. */
export function personKey(user, connectionID) {
  return user ? `@${user}` : connectionID;
}

/** personID is what to call a person whose name is not known. */
export function personID(key) {
  return key.startsWith("@") ? key.slice(1) : shortID(key);
}

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
  const removed = `${who === "You" ? "were" : "was"} removed`;
  const verbs = { disconnected: "disconnected", expired: "timed out", kicked: removed, banned: removed, forbidden: "lost access" };
  return `${who} ${verbs[reason] ?? "left"}`;
}

/** writing is the line that says who is writing; "" where nobody is. */
export function writing(names) {
  if (names.length === 0) return "";
  if (names.length > 2) return "Several people are writing…";
  return `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} writing…`;
}

/** decided is the sentence that tells a person what a moderator has decided. */
export function decided({ event, channelId, until, reason }, now = new Date()) {
  const where = (word) => (channelId ? ` ${word} ${channelId}` : "");
  const end = new Date(until ?? "");
  const time = Number.isNaN(end.valueOf()) ? "" : ` until ${clock(end, now)}`;
  const sentence = {
    kicked: `You were removed${where("from")}`,
    banned: `You are banned${where("from")}${time}`,
    unbanned: `You are no longer banned${where("from")}`,
    muted: `You are muted${where("in")}${time}: you can read and not write`,
    unmuted: `You may write again${where("in")}`,
  }[event];
  return `${sentence}${reason ? `. Reason: ${reason}` : "."}`;
}

/** refused is the sentence for a mistake: the server's, where the page knows none that helps more. */
export function refused({ code, message }, channel) {
  if (code === "forbidden") return `${channel} is private: somebody who may has to let you in.`;
  if (code === "identity_required") return "This needs a sign-in.";
  return message;
}

/** seconds is a number of seconds as one says it. */
export function seconds(count) {
  return count >= 60 && count % 60 === 0 ? `${count / 60} min` : `${count} s`;
}

/** clock formats when something was said: the time of day, and the day if it is another. */
export function clock(date, now = new Date()) {
  const time = date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  if (date.toDateString() === now.toDateString()) return time;
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return `${date.toLocaleDateString([], { day: "numeric", month: "short", year })}, ${time}`;
}
