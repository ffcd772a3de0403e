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
const unsure = new Set(["timeout", "disconnected", "gateway", "internal"]);

/**
 * An entry is a message
 *   { kind: "message", id, seq, messageID, senderID, user, name, content, source, at, own, state, error,
 *     edited, deleted, truncated, follows, missed }
 * with state "pending", "sent" or "failed", or a line
 *   { kind: "notice", event, person, reason, at, count }
 * with event "joined" or "left", or "away" before the count messages that were
 * missed. source is what was typed, follows says that the entry continues what the
 * one before it began, missed how many numbers never came before it.
 *
 * The view is told of each change: place(entry, next) when an entry stands, or
 * now stands, before next (null: last); update(entry); remove(entry).
 */
export class Timeline {
  entries = [];
  #view;
  #limit;
  #present = new Map(); // person -> last event told
  #changes = new Map(); // messageID -> the newest change of what is not here
  #known = new Set(); // the numbers that have come
  #isOld = false; // what is placed comes from the history
  #lost = []; // { from, to }: those that have not

  /** The number back to which all is here, as far as it was asked for, or 0. */
  reached = 0;

  /** Of more than limit entries the oldest are forgotten; default 500. */
  constructor(view, { limit = 500 } = {}) {
    this.#view = view;
    this.#limit = limit;
  }

  /** A message is being sent; id is that of its request. */
  send(id, name, content, at) {
    const entry = { kind: "message", id, name, content, source: content, at, own: true, state: "pending" };
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
  receive({ messageId, seq, senderId, user = "", name = "", content = "", at, editedAt, deleted = false, truncated = false }, own = false) {
    this.#known.add(seq);
    const known = this.#find(messageId, seq) ?? (own && this.entries.find((entry) => this.#isLikely(entry, content)));
    const entry = known || { kind: "message", own };
    Object.assign(entry, { messageID: messageId, seq, senderID: senderId, user, name, at: date(at), state: "sent", error: null });
    if (!entry.revision) Object.assign(entry, { content, edited: Boolean(editedAt), deleted, truncated });
    this.#place(entry);
    const change = this.#changes.get(messageId);
    if (change) this.change(change);
    return !known;
  }

  /** A message was edited or deleted; of several changes the last one counts. */
  change(frame) {
    const { event, seq, targetSeq, messageId, content = "" } = frame;
    this.#known.add(seq);
    const entry = this.#find(messageId, targetSeq);
    if (!entry) {
      if (!(this.#changes.get(messageId)?.seq > seq)) this.#changes.set(messageId, frame);
      return;
    }
    this.#changes.delete(messageId);
    if (entry.revision >= seq) return;
    const deleted = event === "message_deleted";
    Object.assign(entry, { content, revision: seq, edited: !deleted, deleted, truncated: false });
    this.#view.update(entry);
  }

  /** What the channel had said before comes from its history, the newest first. */
  older(frames, isOwn) {
    this.#limit += frames.length;
    this.#isOld = true;
    for (const frame of frames) {
      if (frame.event === "channel_message" || frame.event === "direct_message") this.receive(frame, isOwn(frame));
      else this.change(frame);
    }
    this.#isOld = false;
    this.reached = frames.at(-1)?.seq ?? this.reached;
  }

  /** These numbers were looked for and did not come. */
  lose(from, to) {
    this.#lost.push({ from, to });
    const next = this.entries.findIndex((entry) => entry.kind === "message" && entry.seq > to);
    if (next >= 0) this.#settle(next);
  }

  /** After this number, so many messages came while the reader was away. */
  away(after, count) {
    this.#place({ kind: "notice", event: "away", seq: after + 0.5, count, at: new Date() });
  }

  /** Forgets everything but what is being sent. */
  clear() {
    for (const entry of [...this.entries]) if (entry.kind === "notice" || entry.state === "sent") this.remove(entry);
    this.#known.clear();
    this.#changes.clear();
    this.#lost = [];
    this.reached = 0;
  }

  /** Someone came or went. The stream may say so twice. */
  presence(event, person, reason, at) {
    if (this.#present.get(person) === event) return;
    this.#present.set(person, event);
    this.#place({ kind: "notice", event, person, reason, at: date(at) });
  }

  /** Takes the lines about a person away. */
  forget(person) {
    for (const entry of this.entries.filter((other) => person && other.person === person)) this.remove(entry);
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
    let index = this.entries.findIndex((other) => entry.state !== "pending" && isAfter(other, entry, this.#isOld));
    if (index < 0) index = this.entries.length;
    this.entries.splice(index, 0, entry);
    this.#view.place(entry, this.entries[index + 1] ?? null);
    this.#relate(index);
    if (old >= 0 && old !== index) this.#relate(old);
    while (this.entries.length > this.#limit) {
      this.remove(this.entries[0]);
      this.reached = this.entries.find((other) => other.kind === "message" && other.seq)?.seq ?? this.reached;
    }
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
    entry.follows = before?.kind === "message" && before.own === entry.own && isSame(before, entry) && entry.at - before.at < together;
    const last = this.entries.findLast((other, at) => at < index && other.kind === "message" && other.seq);
    entry.missed = entry.seq && last ? this.#missing(last.seq, entry.seq) : 0;
    this.#view.update(entry);
  }

  /** Counts the numbers between two that were looked for and did not come. */
  #missing(after, before) {
    let count = 0;
    for (const range of this.#lost) {
      const from = Math.max(range.from, after + 1);
      const to = Math.min(range.to, before - 1);
      if (from > to) continue;
      count += to - from + 1;
      for (const seq of this.#known) if (seq >= from && seq <= to) count--;
    }
    return count;
  }
}

/** Reports whether two messages are of one author, as far as it is known. */
function isSame(one, other) {
  return one.name === other.name && (one.own || one.user === other.user);
}

/** Reports whether what is shown already belongs after a newcomer. */
function isAfter(shown, newcomer, isOld) {
  if (shown.state === "pending") return true;
  if (isOld && !shown.seq) return shown.at > newcomer.at;
  return Boolean(newcomer.seq && shown.seq > newcomer.seq);
}

function date(at) {
  const parsed = new Date(at ?? Date.now());
  return Number.isNaN(parsed.valueOf()) ? new Date() : parsed;
}
