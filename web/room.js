// room.js is a conversation with one server: a timeline for each joined channel,
// one of them open, and what a person does in it.

import { newID } from "./chatstack.js";
import { askDelete } from "./dialogs.js";
import { plain } from "./markup.js";
import { MessageView } from "./messages.js";
import { Timeline } from "./timeline.js";

const byID = (id) => document.getElementById(id);
const empty = byID("empty"); // what stands where no channel is open
const [lead, hint] = empty.querySelectorAll("p");

export class Room {
  #chat;
  #list;
  #toast;
  #me;
  #rooms = new Map(); // channel -> { view, timeline, loading, loaded, more }
  #names = new Map(); // connection id -> the name it last wrote under
  #open = "";
  #ended = false;
  #editing = null; // { channel, entry, draft } while a message is being edited
  #input = byID("message");

  /** me() is the name that messages are sent under. */
  constructor(chat, { list, toast, me }) {
    this.#chat = chat;
    this.#list = list;
    this.#toast = toast;
    this.#me = me;
    const on = (type, listener) =>
      chat.addEventListener(type, ({ detail }) => {
        if (!this.#ended) listener(detail);
      });
    on("channels", ({ channels }) => this.#show(channels));
    on("channel_message", (frame) => this.#receive(frame));
    on("message_edited", (frame) => this.#rooms.get(frame.channelId)?.timeline.change(frame));
    on("message_deleted", (frame) => this.#deleted(frame));
    on("gap", ({ channelId, from, to }) => this.#rooms.get(channelId)?.timeline.lose(from, to));
    on("resumed", ({ channelId, after, missed }) => {
      if (missed > 0) this.#rooms.get(channelId)?.timeline.away(after, missed);
    });
    on("reset", ({ channelId }) => this.#reload(channelId));
    on("connection", ({ connectionId }) => {
      // Who comes with another connection is no author any more.
      if (this.cancelEdit()) this.#toast.show("You are connected anew: what you sent before can no longer be changed.");
      for (const { view, timeline } of this.#rooms.values()) {
        view.refresh();
        timeline.forget(connectionId); // who joined before it was known whose it is
      }
    });
    on("subscriber_sub", (frame) => this.#presence("joined", frame));
    on("subscriber_unsub", (frame) => this.#presence("left", frame));
    on("ack", (answer) => this.#rooms.get(answer.channelId)?.timeline.ack(answer));
    on("error", ({ message }) => this.#toast.show(message));
    on("state", ({ state }) => {
      this.#describe();
      if (state === "open") for (const channel of this.#rooms.keys()) this.#load(channel);
    });
    this.#show(chat.channels);
  }

  /** Closes the connection and clears the page for another room. */
  end() {
    this.cancelEdit();
    this.#ended = true;
    this.#chat.close();
    this.#list.show([]);
    byID("stage").replaceChildren(empty);
  }

  /** Opens a channel. */
  open(channel) {
    const room = this.#rooms.get(channel);
    if (channel !== this.#open) this.cancelEdit();
    this.#open = room ? channel : "";
    byID("stage").replaceChildren(room?.view.element ?? empty);
    this.#list.select(this.#open);
    this.#describe();
    room?.view.shown();
    this.read();
  }

  /** Sends what is written to the open channel. */
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
    if (content.trim() === "") {
      // Nothing to show as pending; what is wrong with it is the server's to say.
      this.#chat.send(this.#open, content, this.#me()).catch(({ message }) => this.#toast.show(message));
      return;
    }
    this.#clear();
    this.#send(this.#open, room.timeline.send(newID(), this.#me(), content, new Date()));
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
    } catch ({ message }) {
      this.#toast.show(`Not joined: ${message}`);
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

  /** Edits the last message that may be edited. */
  editLast() {
    const entry = this.#rooms.get(this.#open)?.timeline.entries.findLast((other) => this.#mayChange(other));
    if (entry) this.#edit(this.#open, entry);
  }

  /** Leaves a message as it is. Reports whether one was being edited. */
  cancelEdit() {
    if (!this.#editing) return false;
    const { channel, draft } = this.#editing;
    this.#editing = null;
    this.#rooms.get(channel)?.view.mark(null);
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
    if (document.visibilityState === "visible") this.#list.mark(this.#open, 0);
    this.#countUnread();
  }

  async #send(channel, { id, name, source: content }) {
    const { timeline } = this.#rooms.get(channel);
    try {
      timeline.ack({ ...(await this.#chat.send(channel, content, name, { id })), id });
    } catch (error) {
      timeline.fail(id, error);
      // A refusal has a sentence to show; a lost connection has shown itself.
      if (error.code !== "disconnected" && error.code !== "timeout") this.#toast.show(`Not sent: ${error.message}`);
    }
  }

  #receive(frame) {
    const room = this.#rooms.get(frame.channelId);
    if (!room) return; // left while the frame was on its way
    const own = this.#chat.isOwn(frame.senderId);
    this.#learn(frame.senderId, frame.name);
    const isNew = room.timeline.receive(frame, own);
    if (own || !isNew) return;
    const seen = frame.channelId === this.#open && document.visibilityState === "visible";
    if (!seen) this.#list.count(frame.channelId);
    this.#countUnread();
  }

  #presence(event, { channelId, subscriberId, reason, at }) {
    const room = this.#rooms.get(channelId);
    if (!room) return;
    // What one's own connections do, the state of the connection says.
    if (!this.#chat.isOwn(subscriberId)) room.timeline.presence(event, subscriberId, reason, at);
    if (event === "left" && subscriberId === this.#chat.connectionID) {
      this.#toast.show(`You are no longer in ${channelId}.`);
    }
  }

  /** An id that has written something is better known by that name. */
  #learn(connectionID, name) {
    if (!connectionID || this.#names.get(connectionID) === name) return;
    this.#names.set(connectionID, name);
    for (const { view } of this.#rooms.values()) view.rename();
  }

  /** Shows exactly the joined channels. */
  #show(channels) {
    this.#list.show(channels);
    if (this.#editing && !channels.includes(this.#editing.channel)) this.cancelEdit();
    for (const channel of this.#rooms.keys()) if (!channels.includes(channel)) this.#rooms.delete(channel);
    for (const channel of channels) {
      if (this.#rooms.has(channel)) continue;
      this.#rooms.set(channel, this.#make(channel));
      this.#load(channel);
    }
    if (!this.#rooms.has(this.#open)) this.open(channels[0] ?? "");
    for (const { view } of this.#rooms.values()) view.rename();
    this.#countUnread();
  }

  #make(channel) {
    const view = new MessageView(channel, (id) => this.#who(id), {
      retry: (entry) => {
        timeline.retry(entry);
        this.#send(channel, entry);
      },
      rewrite: (entry) => {
        timeline.remove(entry);
        this.#write([this.#input.value, entry.source].filter(Boolean).join("\n"));
        this.#input.focus();
      },
      mayChange: (entry) => this.#mayChange(entry),
      edit: (entry) => this.#edit(channel, entry),
      remove: (entry) => this.#remove(channel, entry),
      earlier: () => this.#load(channel, { earlier: true }),
      behind: () => this.#describe(),
    });
    const timeline = new Timeline(view);
    return { view, timeline, loading: false, loaded: false, more: true };
  }

  /** Fetches the latest messages of a channel, once, or those before what is there. */
  async #load(channel, { earlier = false } = {}) {
    const room = this.#rooms.get(channel);
    if (room.loading || this.#chat.state !== "open" || (earlier ? !room.more : room.loaded)) return;
    room.loading = true;
    try {
      const before = (earlier && room.loaded && room.timeline.reached) || undefined;
      const { messages, more } = await this.#chat.history(channel, { before });
      if (this.#ended || room !== this.#rooms.get(channel)) return;
      for (const { senderId, name } of messages) if (name) this.#learn(senderId, name);
      room.loaded = true;
      room.more = more;
      room.view.above(() => room.timeline.older(messages, (id) => this.#chat.isOwn(id)), more);
    } catch ({ message, code }) {
      // A lost connection has shown itself, and what is not loaded is when it is back.
      if (code !== "disconnected") this.#toast.show(`No earlier messages: ${message}`);
    } finally {
      room.loading = false;
    }
  }

  #reload(channel) {
    const room = this.#rooms.get(channel);
    if (!room) return;
    room.timeline.clear();
    Object.assign(room, { loaded: false, more: true });
    this.#load(channel);
  }

  #deleted(frame) {
    const { channel, entry } = this.#editing ?? {};
    if (channel === frame.channelId && entry?.seq === frame.targetSeq) this.cancelEdit();
    this.#rooms.get(frame.channelId)?.timeline.change(frame);
  }

  /** The author of a message, to the server, is the connection that sent it. */
  #mayChange(entry) {
    const { connectionID } = this.#chat;
    return Boolean(entry.senderID && entry.senderID === connectionID && entry.state === "sent" && !entry.deleted);
  }

  #edit(channel, entry) {
    this.cancelEdit();
    this.#editing = { channel, entry, draft: this.#input.value };
    this.#rooms.get(channel).view.mark(entry);
    byID("editing").hidden = false;
    this.#write(entry.source ?? plain(entry.content));
    this.#describe();
    this.#input.focus();
  }

  async #saveEdit() {
    const { channel, entry } = this.#editing;
    const content = this.#input.value;
    try {
      await this.#chat.edit(channel, entry.seq, content);
      entry.source = content;
      if (this.#editing?.entry === entry) this.cancelEdit();
    } catch ({ message }) {
      this.#toast.show(`Not changed: ${message}`);
    }
  }

  async #remove(channel, entry) {
    const sure = await askDelete();
    this.#input.focus();
    if (!sure) return;
    try {
      await this.#chat.delete(channel, entry.seq);
    } catch ({ message }) {
      this.#toast.show(`Not deleted: ${message}`);
    }
  }

  #who(connectionID) {
    if (this.#chat.isOwn(connectionID)) return "You";
    return this.#names.get(connectionID);
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
    const open = this.#open;
    const title = byID("title");
    title.textContent = open || "No channel";
    title.dataset.hash = open ? "#" : "";
    byID("leave").hidden = !open;
    byID("leave").setAttribute("aria-label", `Leave ${open}`);
    byID("latest").hidden = !this.#rooms.get(open)?.view.behind;
    this.#input.placeholder = this.#editing ? "Edit your message" : open ? `Message #${open}` : "Join a channel to write";
    const connected = this.#chat.state === "open";
    lead.textContent = connected ? "You are in no channel" : "Getting you in …";
    hint.textContent = connected ? "Join one on the left, or start your own." : "";
  }

  #countUnread() {
    const { unread } = this.#list;
    byID("menu-unread").hidden = unread === 0;
    document.title = unread > 0 ? `(${unread}) chatstack` : "chatstack";
  }
}
