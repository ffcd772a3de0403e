// roster.js knows what people are called, and shows who is in the open conversation.

import { personID, personKey } from "./people.js";

export class Roster {
  #chat;
  #panel;
  #me;
  #names = new Map(); // the key of a person -> the name last seen
  #shown = null; // the room whose people the panel shows
  #isStale = false;

  /** me() is what this person is called. */
  constructor(chat, panel, me) {
    this.#chat = chat;
    this.#panel = panel;
    this.#me = me;
  }

  /** What to call a person. */
  who(key) {
    if (this.#chat.isOwn(key) || (this.#chat.user && key === personKey(this.#chat.user))) return "You";
    return this.#names.get(key) ?? personID(key);
  }

  /** Who has said something is better known by that name. Reports whether it is new. */
  learn({ user, senderId, subscriberId, name }) {
    const key = personKey(user, senderId ?? subscriberId);
    if (!key || !name || this.#names.get(key) === name) return false;
    this.#names.set(key, name);
    return true;
  }

  /**
   * Asks who is in a channel, once a connection, or for more of those. Reports
   * whether a name is new.
   */
  async list(room, { more = false } = {}) {
    if (room.peer || room.asking || this.#chat.state !== "open" || (room.listed && !more)) return false;
    room.asking = true;
    room.members.ask();
    try {
      const page = await this.#chat.members(room.key, { cursor: more ? room.members.cursor : undefined });
      room.members.fill(page, { first: !more });
      room.listed = true;
      const isNew = page.members.map(({ user, name, connections }) => this.learn({ user, name, senderId: connections[0] }));
      return isNew.includes(true);
    } catch {
      room.members.giveUp(); // who comes and goes is shown all the same
      return false;
    } finally {
      room.asking = false;
      this.changed(room);
    }
  }

  /** Shows the people of a room from now on, or nobody. */
  show(room) {
    this.#shown = room;
    this.changed(room);
  }

  /** Something about the people of a room has changed: it is shown once for all that changes at a time. */
  changed(room) {
    if (room !== this.#shown || this.#isStale) return;
    this.#isStale = true;
    queueMicrotask(() => {
      this.#isStale = false;
      this.#fill(this.#shown);
    });
  }

  #fill(room) {
    if (!room) {
      this.#panel.show([], 0);
      return;
    }
    const two = [...new Set([this.#chat.user, room.peer])].map((user) => ({ key: personKey(user), user }));
    const members = (room.peer ? two : room.members.all).map(({ key, user, connections }) => {
      const own = this.#chat.isOwn(key, user);
      const name = own ? this.#me() : this.who(key);
      return { key, user, name, own, devices: connections?.size ?? 1, hasMenu: Boolean(user && !own && !room.peer) };
    });
    members.sort((a, b) => b.own - a.own || a.name.localeCompare(b.name) || (a.key < b.key ? -1 : 1));
    this.#panel.show(members, room.peer ? members.length : room.members.count);
  }
}
