// members.js knows who is in a channel: from the pages of listMembers, and from who
// comes and goes meanwhile.

import { personKey } from "./people.js";

/** A member is { key, user, name, connections }, a user with a set of connections. */
export class Members {
  #members = new Map(); // key -> member
  #total = 0; // of the server, where not all are listed
  #late = null; // the frames that came while a page was asked for

  /** What to give listMembers for those that are not here, "" if all are. */
  cursor = "";

  get all() {
    return [...this.#members.values()];
  }

  get count() {
    return this.cursor ? Math.max(this.#total, this.#members.size) : this.#members.size;
  }

  get(key) {
    return this.#members.get(key);
  }

  /** A page is about to be asked for. */
  ask() {
    this.#late = [];
  }

  /** The page has come, in place of all that is known if it is the first. */
  fill({ members, count = 0, cursor = "" }, { first }) {
    const late = this.#late ?? [];
    this.#late = null;
    if (first) this.#members.clear();
    for (const { user, name, connections } of members) for (const id of connections) this.#add(user, name, id);
    this.cursor = cursor;
    this.#total = count;
    for (const frame of late) this.take(frame);
  }

  /** The page has not come. */
  giveUp() {
    this.#late = null;
  }

  /** Takes a subscriber_sub or subscriber_unsub. */
  take(frame) {
    this.#late?.push(frame);
    const { event, subscriberId, user, name, count } = frame;
    const before = this.#members.size;
    if (event === "subscriber_sub") this.#add(user, name, subscriberId);
    else this.#remove(user, subscriberId);
    this.#total = count ?? this.#total + this.#members.size - before;
  }

  #add(user = "", name = "", connectionID) {
    const key = personKey(user, connectionID);
    const member = this.#members.get(key) ?? { key, user, name, connections: new Set() };
    member.connections.add(connectionID);
    member.name = name || member.name;
    this.#members.set(key, member);
  }

  #remove(user = "", connectionID) {
    const key = personKey(user, connectionID);
    const member = this.#members.get(key);
    member?.connections.delete(connectionID);
    if (member?.connections.size === 0) this.#members.delete(key);
  }
}
