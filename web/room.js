// room.js is a conversation with one server: a timeline for each joined channel and
// each direct conversation, one of them open, and what a person does in it.

import { newID } from "./chatstack.js";
import { askDelete } from "./dialogs.js";
import { Limits } from "./limits.js";
import { plain } from "./markup.js";
import { Members } from "./members.js";
import { MessageView } from "./messages.js";
import { decisions, slownesses } from "./moderation.js";
import { decided, personKey, refused, writing } from "./people.js";
import { Roster } from "./roster.js";
import { Timeline } from "./timeline.js";
import { Teller, Typing } from "./typing.js";

const byID = (id) => document.getElementById(id);
const empty = byID("empty"); // what stands where no channel is open
const [lead, hint] = empty.querySelectorAll("p");

/** The key of a direct conversation; no channel has such a name. */
const direct = (user) => `\u0000${user}`;

export class Room {
  #chat;
  #list;
  #directs;
  #roster;
  #menu;
  #toast;
  #me;
  #uncover;
  #rooms = new Map(); // key -> what is known of a conversation, see #make
  #limits = new Limits();
  #teller = new Teller();
  #ticking;
  #open = "";
  #ended = false;
  #editing = null; // { room, entry, draft } while a message is being edited
  #input = byID("message");

  /**
   * list and directs show the conversations, panel who is in the open one, menu what
   * can be done. me() is the name that messages are sent under, and uncover() takes
   * away what lies over the room.
   */
  constructor(chat, { list, directs, panel, menu, toast, me, uncover }) {
    this.#chat = chat;
    this.#list = list;
    this.#directs = directs;
    this.#roster = new Roster(chat, panel, me);
    this.#menu = menu;
    this.#toast = toast;
    this.#me = me;
    this.#uncover = uncover;
    const on = (type, listener) =>
      chat.addEventListener(type, ({ detail }) => {
        if (!this.#ended) listener(detail);
      });
    on("channels", ({ channels }) => this.#show(channels));
    on("channel_message", (frame) => this.#receive(frame));
    on("direct_message", (frame) => {
      this.#converse(frame.peer, { isNew: true });
      this.#receive(frame);
    });
    on("message_edited", (frame) => this.#of(frame)?.timeline.change(frame));
    on("message_deleted", (frame) => this.#deleted(frame));
    on("gap", (frame) => this.#of(frame)?.timeline.lose(frame.from, frame.to));
    on("resumed", (frame) => {
      if (frame.missed > 0) this.#of(frame)?.timeline.away(frame.after, frame.missed);
    });
    on("reset", (frame) => this.#reload(this.#of(frame)));
    on("connection", ({ connectionId, user }) => {
      // Who comes with another connection is no author any more, unless it is a user.
      if (!user && this.cancelEdit()) this.#toast.show("You are connected anew: what you sent before can no longer be changed.");
      for (const { view, timeline } of this.#rooms.values()) {
        view.refresh();
        for (const key of [connectionId, personKey(user, "")]) timeline.forget(key); // who joined before it was known whose it is
      }
    });
    on("subscriber_sub", (frame) => this.#presence("joined", frame));
    on("subscriber_unsub", (frame) => this.#presence("left", frame));
    on("typing", (frame) => this.#typing(frame));
    on("slow_mode", ({ channelId, seconds }) => {
      this.#limits.slow(channelId, seconds);
      this.#note();
    });
    for (const event of ["kicked", "banned", "unbanned", "muted", "unmuted"]) {
      on(event, (frame) => {
        this.#limits.decide(frame);
        this.#toast[event.startsWith("un") ? "tell" : "show"](decided(frame));
        this.#note();
      });
    }
    on("ack", (answer) => this.#of(answer)?.timeline.ack(answer));
    on("error", ({ message }) => this.#toast.show(message));
    on("state", ({ state }) => {
      this.#describe();
      if (state === "open") this.#opened();
    });
    this.#show(chat.channels);
  }

  /** Closes the connection and clears the page for another room. */
  end() {
    this.cancelEdit();
    this.#ended = true;
    this.#chat.close();
    this.#list.show([]);
    this.#directs.show([]);
    this.#roster.show(null);
    clearInterval(this.#ticking);
    byID("stage").replaceChildren(empty);
  }

  /** Opens a conversation. */
  open(key) {
    const room = this.#rooms.get(key);
    if (key !== this.#open) this.cancelEdit();
    this.#open = room ? key : "";
    byID("stage").replaceChildren(room?.view.element ?? empty);
    this.#list.select(this.#open);
    this.#directs.select(this.#open);
    this.#describe();
    room?.view.shown();
    this.read();
    if (!room) return;
    this.#load(room);
    this.#listMembers(room);
  }

  /** Sends what is written to the open conversation. */
  say() {
    const content = this.#input.value;
    const room = this.#rooms.get(this.#open);
    if (!room) {
      this.#toast.show("Join a channel first.");
      return;
    }
    this.#toast.hide();
    if (this.#editing) {
      this.#saveEdit();
      return;
    }
    const wait = this.#limits.wait(room.key);
    if (wait > 0) {
      this.#toast.show(`Slow mode: you can write again in ${wait} s.`);
      return;
    }
    if (content.trim() === "") {
      // Nothing to show as pending; what is wrong with it is the server's to say.
      this.#put(room, content).catch((error) => this.#toast.show(refused(error, room.name)));
      return;
    }
    this.#clear();
    this.#teller.reset();
    this.#send(room, room.timeline.send(newID(), this.#me(), content, new Date()));
  }

  /** A person writes: the others in the channel are told. */
  wrote() {
    const room = this.#rooms.get(this.#open);
    if (!room || room.peer || this.#editing || this.#input.value.trim() === "" || this.#chat.state !== "open") return;
    if (this.#teller.isDue(room.key)) this.#chat.typing(room.key, this.#me()).catch(() => {}); // it tells nobody, then
  }

  /** Joins the channel that is written in a field, and opens it. */
  async join(input) {
    const channel = input.value;
    this.#toast.hide();
    try {
      const answer = await this.#chat.join(channel);
      input.value = "";
      this.open(answer.channelId ?? channel);
      this.#input.focus();
      return true;
    } catch (error) {
      this.#toast.show(`Not joined: ${refused(error, channel)}`);
      return false;
    }
  }

  /** Leaves the open channel. */
  async leave() {
    const channel = this.#open;
    this.#toast.hide();
    try {
      await this.#chat.leave(channel);
    } catch ({ message }) {
      this.#toast.show(`Still in ${channel}: ${message}`);
    }
    this.#input.focus();
  }

  /** The conversation with a user, for a list. */
  person(key) {
    const { peer } = this.#rooms.get(key);
    return { user: peer, name: this.#roster.who(personKey(peer)) };
  }

  /** Shows what can be done to a person. */
  choose({ user, name }, opener) {
    const room = this.#rooms.get(this.#open);
    const items = [];
    if (room?.peer !== user) items.push({ label: "Send a message", testID: "message-user", act: () => this.#writeTo(user) });
    if (this.#moderates(room)) {
      if (items.length > 0) items.push(null);
      items.push(...decisions(this.#chat, this.#toast, { user, name, channel: room.key }));
    }
    if (items.length > 0) this.#menu.open(opener, name, items);
  }

  /** Shows how slow the open channel can be made. */
  chooseSlowness(opener) {
    this.#menu.open(opener, "Slow mode", slownesses(this.#chat, this.#toast, this.#open));
  }

  /** Lists more of those who are in the open channel. */
  moreMembers() {
    this.#listMembers(this.#rooms.get(this.#open), { more: true });
  }

  /** Edits the last message that may be edited. */
  editLast() {
    const room = this.#rooms.get(this.#open);
    const entry = room?.timeline.entries.findLast((other) => this.#isAuthor(other));
    if (entry) this.#edit(room, entry);
  }

  /** Leaves a message as it is. Reports whether one was being edited. */
  cancelEdit() {
    if (!this.#editing) return false;
    const { room, draft } = this.#editing;
    this.#editing = null;
    room.view.mark(null);
    byID("editing").hidden = true;
    this.#write(draft);
    this.#describe();
    return true;
  }

  toLatest() {
    this.#rooms.get(this.#open)?.view.toEnd();
    this.#input.focus();
  }

  /** What is open before someone's eyes is read. */
  read() {
    if (document.visibilityState === "visible") for (const list of this.#lists) list.mark(this.#open, 0);
    this.#countUnread();
  }

  get #lists() {
    return [this.#list, this.#directs];
  }

  /** The conversation that an event is of. */
  #of({ channelId, peer }) {
    return this.#rooms.get(peer ? direct(peer) : channelId);
  }

  #put({ key, peer }, content, id) {
    return peer ? this.#chat.sendDirect(peer, content, { id }) : this.#chat.send(key, content, this.#me(), { id });
  }

  async #send(room, { id, source }) {
    const { timeline } = room;
    try {
      timeline.ack({ ...(await this.#put(room, source, id)), id });
      if (!this.#moderates(room)) this.#limits.sent(room.key);
    } catch (error) {
      timeline.fail(id, error);
      if (error.code === "slow_mode" && error.retryAfter) this.#limits.refuse(room.key, error.retryAfter);
      // A refusal has a sentence to show; a lost connection has shown itself.
      if (error.code !== "disconnected" && error.code !== "timeout") this.#toast.show(`Not sent: ${refused(error, room.name)}`);
    }
    this.#note();
  }

  #receive(frame) {
    const room = this.#of(frame);
    if (!room) return; // left while the frame was on its way
    const own = this.#isOwn(frame);
    this.#learn(frame);
    room.typing.stop(personKey(frame.user, frame.senderId));
    const isNew = room.timeline.receive(frame, own);
    if (own || !isNew) return;
    const seen = room.key === this.#open && document.visibilityState === "visible";
    if (!seen) for (const list of this.#lists) list.count(room.key);
    this.#countUnread();
  }

  #presence(event, frame) {
    const { channelId, subscriberId, user, reason, at } = frame;
    const room = this.#rooms.get(channelId);
    if (!room) return;
    const key = personKey(user, subscriberId);
    room.members.take(frame);
    this.#learn(frame);
    this.#roster.changed(room);
    const devices = room.members.get(key)?.connections.size ?? 0;
    if (devices === 0) room.typing.stop(key);
    // Who was removed is told so by an event that also says why.
    if (event === "left" && subscriberId === this.#chat.connectionID && reason !== "kicked" && reason !== "banned") {
      this.#toast.show(`You are no longer in ${channelId}.`);
    }
    // What one's own connections do, the state of the connection says; and who has
    // one more or less has neither come nor gone.
    if (this.#chat.isOwn(subscriberId, user) || devices > (event === "joined" ? 1 : 0)) return;
    room.timeline.presence(event, key, reason, at);
  }

  #typing(frame) {
    const room = this.#rooms.get(frame.channelId);
    if (!room || this.#isOwn(frame)) return;
    this.#learn(frame);
    const key = personKey(frame.user, frame.senderId);
    room.typing.note(key, this.#roster.who(key));
  }

  /** Takes the name from what somebody has said, and shows it where they are named. */
  #learn(frame) {
    if (this.#roster.learn(frame)) this.#rename();
  }

  async #listMembers(room, options) {
    if ((await this.#roster.list(room, options)) && !this.#ended) this.#rename();
  }

  #rename() {
    for (const { view } of this.#rooms.values()) view.rename();
    this.#showDirects();
    this.#describe();
  }

  /** What a new connection has to ask for. */
  #opened() {
    for (const room of this.#rooms.values()) {
      room.listed = false;
      if (!room.peer || room.key === this.#open) this.#load(room);
    }
    const room = this.#rooms.get(this.#open);
    if (room) this.#roster.list(room);
    if (this.#chat.user) this.#listDirects();
  }

  async #listDirects() {
    const found = [];
    try {
      for (let cursor; cursor !== ""; ) {
        const page = await this.#chat.listDirects({ cursor });
        found.push(...page.directs);
        cursor = page.cursor ?? "";
      }
    } catch {
      // Those that something comes from are shown all the same.
    }
    if (this.#ended) return;
    found.sort((a, b) => (a.at < b.at ? 1 : -1));
    for (const { user } of found) this.#converse(user);
  }

  /** Makes a direct conversation, the first in the list if it begins now. */
  #converse(user, { isNew = false } = {}) {
    const key = direct(user);
    if (this.#rooms.has(key)) return key;
    const rooms = [...this.#rooms];
    const room = [key, this.#make(key, user)];
    this.#rooms = new Map(isNew ? [room, ...rooms] : [...rooms, room]);
    this.#showDirects();
    return key;
  }

  #showDirects() {
    const keys = [...this.#rooms.values()].filter(({ peer }) => peer).map(({ key }) => key);
    byID("directs-box").hidden = keys.length === 0;
    this.#directs.show(keys);
  }

  /** Begins to write to one user. */
  #writeTo(user) {
    this.open(this.#converse(user, { isNew: true }));
    this.#uncover();
    this.#input.focus();
  }

  /** Shows exactly the joined channels. */
  #show(channels) {
    this.#list.show(channels);
    if (this.#editing && !this.#editing.room.peer && !channels.includes(this.#editing.room.key)) this.cancelEdit();
    for (const { key, peer } of [...this.#rooms.values()]) if (!peer && !channels.includes(key)) this.#rooms.delete(key);
    for (const channel of channels) {
      if (this.#rooms.has(channel)) continue;
      const room = this.#make(channel);
      this.#rooms.set(channel, room);
      this.#load(room);
    }
    if (!this.#rooms.has(this.#open)) this.open(channels[0] ?? "");
    for (const { view } of this.#rooms.values()) view.rename();
    this.#countUnread();
  }

  /** What is known of a conversation: with a channel, or with the user peer. */
  #make(key, peer = "") {
    const name = peer ? this.#roster.who(personKey(peer)) : key;
    const view = new MessageView(name, (person) => this.#roster.who(person), {
      retry: (entry) => {
        room.timeline.retry(entry);
        this.#send(room, entry);
      },
      rewrite: (entry) => {
        room.timeline.remove(entry);
        this.#write([this.#input.value, entry.source].filter(Boolean).join("\n"));
        this.#input.focus();
      },
      mayEdit: (entry) => this.#isAuthor(entry),
      mayDelete: (entry) => this.#isAuthor(entry) || this.#moderates(room),
      mayChoose: (entry) => Boolean(entry.user) && !entry.own && this.#moderates(room),
      edit: (entry) => this.#edit(room, entry),
      remove: (entry) => this.#remove(room, entry),
      choose: ({ user, name: author }, opener) => this.choose({ user, name: author }, opener),
      earlier: () => this.#load(room, { earlier: true }),
      behind: () => this.#describe(),
    });
    const room = {
      key, peer, name, view,
      where: peer ? { user: peer } : key,
      timeline: new Timeline(view),
      members: new Members(),
      typing: new Typing(() => this.#note()),
      loading: false, loaded: false, more: true, // the history
      asking: false, listed: false, // the members
    };
    return room;
  }

  /** Fetches the latest messages of a conversation, once, or those before what is there. */
  async #load(room, { earlier = false } = {}) {
    if (room.loading || this.#chat.state !== "open" || (earlier ? !room.more : room.loaded)) return;
    room.loading = true;
    try {
      const before = (earlier && room.loaded && room.timeline.reached) || undefined;
      const { messages, more } = await this.#chat.history(room.where, { before });
      if (this.#ended || room !== this.#rooms.get(room.key)) return;
      for (const frame of messages) this.#learn(frame);
      room.loaded = true;
      room.more = more;
      room.view.above(() => room.timeline.older(messages, (frame) => this.#isOwn(frame)), more);
    } catch (error) {
      // A lost connection has shown itself, and what is not loaded is when it is back.
      if (error.code !== "disconnected") this.#toast.show(`No earlier messages: ${refused(error, room.name)}`);
    } finally {
      room.loading = false;
    }
  }

  #reload(room) {
    if (!room) return;
    room.timeline.clear();
    Object.assign(room, { loaded: false, more: true });
    this.#load(room);
  }

  #deleted(frame) {
    const room = this.#of(frame);
    if (this.#editing?.room === room && this.#editing?.entry.seq === frame.targetSeq) this.cancelEdit();
    room?.timeline.change(frame);
  }

  #isOwn({ senderId, user }) {
    return this.#chat.isOwn(senderId, user);
  }

  /** The author of a message is the user, or where there is none the connection that sent it. */
  #isAuthor({ user, senderID, state, deleted }) {
    const { user: me, connectionID } = this.#chat;
    const isMine = user ? user === me : senderID && senderID === connectionID;
    return Boolean(isMine && state === "sent" && !deleted);
  }

  #moderates(room) {
    return Boolean(room && !room.peer && this.#chat.isModerator(room.key));
  }

  #edit(room, entry) {
    this.cancelEdit();
    this.#editing = { room, entry, draft: this.#input.value };
    room.view.mark(entry);
    byID("editing").hidden = false;
    this.#write(entry.source ?? plain(entry.content));
    this.#describe();
    this.#input.focus();
  }

  async #saveEdit() {
    const { room, entry } = this.#editing;
    const content = this.#input.value;
    try {
      await this.#chat.edit(room.where, entry.seq, content);
      entry.source = content;
      if (this.#editing?.entry === entry) this.cancelEdit();
    } catch (error) {
      this.#toast.show(`Not changed: ${refused(error, room.name)}`);
    }
  }

  async #remove(room, entry) {
    const sure = await askDelete();
    this.#input.focus();
    if (!sure) return;
    try {
      await this.#chat.delete(room.where, entry.seq);
    } catch (error) {
      this.#toast.show(`Not deleted: ${refused(error, room.name)}`);
    }
  }

  #clear() {
    this.#write("");
  }

  #write(text) {
    this.#input.value = text;
    this.#input.dispatchEvent(new Event("input"));
  }

  /** Says where one is: title, empty page, whether there is more below. */
  #describe() {
    const room = this.#rooms.get(this.#open);
    if (room?.peer) room.name = this.#roster.who(personKey(room.peer));
    const name = room?.name ?? "";
    const title = byID("title");
    title.textContent = name || "No channel";
    title.title = room?.peer ?? "";
    if (room && !room.peer) title.dataset.hash = "#";
    else delete title.dataset.hash;
    byID("leave").hidden = !room || Boolean(room.peer);
    byID("leave").setAttribute("aria-label", `Leave ${name}`);
    byID("latest").hidden = !room?.view.behind;
    byID("slowness").hidden = !this.#moderates(room);
    const invitation = room?.peer ? `Message ${name}` : room ? `Message #${name}` : "Join a channel to write";
    this.#input.placeholder = this.#editing ? "Edit your message" : invitation;
    const connected = this.#chat.state === "open";
    lead.textContent = connected ? "You are in no channel" : "Getting you in …";
    hint.textContent = connected ? "Join one on the left, or start your own." : "";
    this.#roster.show(room ?? null);
    this.#note();
  }

  /** Says below the field who is writing, and what keeps one from it. */
  #note() {
    if (this.#ended) return;
    const room = this.#rooms.get(this.#open);
    const { text, passes } = room ? this.#limits.sentence(room.key) : { text: "", passes: false };
    fill(byID("writing"), writing(room?.typing.names ?? []));
    fill(byID("limit"), text);
    if (passes) this.#ticking ??= setInterval(() => this.#note(), 500);
    else this.#ticking = clearInterval(this.#ticking);
  }

  #countUnread() {
    const unread = this.#list.unread + this.#directs.unread;
    byID("menu-unread").hidden = unread === 0;
    document.title = unread > 0 ? `(${unread}) chatstack` : "chatstack";
  }
}

/** fill changes text only where it differs. */
function fill(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
