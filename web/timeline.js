// timeline.js holds what one channel shows, in the order in which it shows it.
// The channel has one order, the sequence of its messages; lines about who came
// and went stand where they arrived; what is being sent stands last.
//
// An own message may be known twice: from its ack, and from the channel it was
// sent to, in either order. A timeline makes one entry of the two.

import { plain } from "./markup.js";

/** Messages of one author within this time stand together under one name. */
const together = 5 * 60_000;

/** A send that ended like this may have reached the channel all the same. */
const unsure = new Set(["timeout", "disconnected"]);

/**
 * An entry is a message
 *   { kind: "message", id, seq, messageID, name, content, at, own, state, error, follows, missed }
 * with state "pending", "sent" or "failed", or a line
 *   { kind: "notice", event, subscriberID, reason, at }
 * with event "joined" or "left". follows says that it continues what the entry
 * before it began, missed how many messages are not there before it.
 *
 * The view is told of each change: place(entry, next) when an entry stands, or
 * now stands, before next (null: last); update(entry); remove(entry).
 */
export class Timeline {
  entries = [];
  #view;
  #limit;
  #present = new Map(); // subscriberID -> last event told

  /** Of more than limit entries the oldest are forgotten; default 500. */
  constructor(view, { limit = 500 } = {}) {
    this.#view = view;
    this.#limit = limit;
  }

  /** A message is being sent; id is that of its request. */
  send(id, name, content, at) {
    const entry = { kind: "message", id, name, content, at, own: true, state: "pending" };
    this.#place(entry);
    return entry;
  }

  /** Another attempt to send what failed. */
  retry(entry) {
    entry.state = "pending";
    entry.error = null;
    this.#place(entry);
  }

  /** The server has stored the message of a request. */
  ack({ id, messageId, seq, at }) {
    let entry = this.entries.find((other) => other.own && other.id === id);
    if (!entry) return;
    const stored = { messageID: messageId, seq, at: date(at), state: "sent", error: null };
    const arrived = this.#find(messageId, seq);
    if (arrived && !arrived.id) {
      // The server changed the words so much that they were not known again.
      if (!entry.messageID) this.remove(entry);
      arrived.id = id;
      entry = arrived;
    } else if (arrived !== entry && (arrived || entry.messageID)) {
      // Of two sends with the same words, each was taken for the other.
      const other = arrived ?? this.entries.find((twin) => this.#isLikely(twin, entry.content));
      if (!other) return;
      [entry.id, other.id] = [other.id, entry.id];
      entry = other;
    }
    this.#place(Object.assign(entry, stored));
  }

  /** The server has refused a message, or not answered. */
  fail(id, error) {
    const entry = this.entries.find((other) => other.own && other.id === id);
    if (!entry || entry.state === "sent") return;
    entry.state = "failed";
    entry.error = error;
    this.#view.update(entry);
  }

  /** A message came from the channel. Reports whether it was not there yet. */
  receive({ messageId, seq, name, content, at }, own = false) {
    const frame = { messageID: messageId, seq, name, content, at: date(at), state: "sent", error: null };
    const known = this.#find(messageId, seq) ?? (own && this.entries.find((entry) => this.#isLikely(entry, content)));
    this.#place(Object.assign(known || { kind: "message", own }, frame));
    return !known;
  }

  /** Someone came or went. The stream may say so twice. */
  presence(event, subscriberID, reason, at) {
    if (this.#present.get(subscriberID) === event) return;
    this.#present.set(subscriberID, event);
    this.#place({ kind: "notice", event, subscriberID, reason, at: date(at) });
  }

  remove(entry) {
    const index = this.entries.indexOf(entry);
    if (index < 0) return;
    this.entries.splice(index, 1);
    this.#view.remove(entry);
    this.#relate(index);
  }

  #find(messageID, seq) {
    return this.entries.find(
      (entry) => entry.kind === "message" && ((messageID && entry.messageID === messageID) || (seq && entry.seq === seq)),
    );
  }

  /** Reports whether an own message, not known by its messageID yet, says this. */
  #isLikely(entry, content) {
    if (!entry.own || entry.messageID) return false;
    if (entry.state === "failed" && !unsure.has(entry.error?.code)) return false;
    return plain(entry.content) === plain(content);
  }

  #place(entry) {
    const old = this.entries.indexOf(entry);
    if (old >= 0) this.entries.splice(old, 1);
    let index = this.entries.findIndex((other) => entry.state !== "pending" && isAfter(other, entry));
    if (index < 0) index = this.entries.length;
    this.entries.splice(index, 0, entry);
    this.#view.place(entry, this.entries[index + 1] ?? null);
    this.#relate(index);
    if (old >= 0 && old !== index) this.#relate(old);
    while (this.entries.length > this.#limit) this.remove(this.entries[0]);
  }

  /** Settles what an entry and the message after it are to those before them. */
  #relate(index) {
    this.#settle(index);
    const next = this.entries.findIndex((entry, at) => at > index && entry.kind === "message");
    if (next > 0) this.#settle(next);
  }

  #settle(index) {
    const entry = this.entries[index];
    if (entry?.kind !== "message") return;
    const before = this.entries[index - 1];
    entry.follows = before?.kind === "message" && before.own === entry.own && before.name === entry.name && entry.at - before.at < together;
    const last = this.entries.findLast((other, at) => at < index && other.seq);
    entry.missed = entry.seq && last ? Math.max(0, entry.seq - last.seq - 1) : 0;
    this.#view.update(entry);
  }
}

/** Reports whether what is shown already belongs after a newcomer. */
function isAfter(shown, newcomer) {
  if (shown.state === "pending") return true;
  return Boolean(newcomer.seq && shown.seq > newcomer.seq);
}

function date(at) {
  const parsed = new Date(at ?? Date.now());
  return Number.isNaN(parsed.valueOf()) ? new Date() : parsed;
}
