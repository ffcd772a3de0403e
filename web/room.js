// room.js is a conversation with one server: a timeline for each joined channel,
// one of them open, and what a person does in it.

import { newID } from "./chatstack.js";
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
  #rooms = new Map(); // channel -> { view, timeline }
  #names = new Map(); // connection id -> the name it last wrote under
  #open = "";
  #ended = false;
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
    on("subscriber_sub", (frame) => this.#presence("joined", frame));
    on("subscriber_unsub", (frame) => this.#presence("left", frame));
    on("ack", (answer) => this.#rooms.get(answer.channelId)?.timeline.ack(answer));
    on("error", ({ message }) => this.#toast.show(message));
    on("state", () => this.#describe());
    this.#show(chat.channels);
  }

  /** Closes the connection and clears the page for another room. */
  end() {
    this.#ended = true;
    this.#chat.close();
    this.#list.show([]);
    byID("stage").replaceChildren(empty);
  }

  /** Opens a channel. */
  open(channel) {
    const room = this.#rooms.get(channel);
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
    if (content.trim() === "") {
      // Nothing to show as pending; what is wrong with it is the server's to say.
      this.#chat.send(this.#open, content, this.#me()).catch(({ message }) => this.#toast.show(message));
      return;
    }
    this.#clear();
    const id = newID();
    room.timeline.send(id, this.#me(), content, new Date());
    this.#send(this.#open, id, content);
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

  toLatest() {
    this.#rooms.get(this.#open)?.view.toEnd();
    this.#input.focus();
  }

  /** What is open before someone's eyes is read. */
  read() {
    if (document.visibilityState === "visible") this.#list.mark(this.#open, 0);
    this.#countUnread();
  }

  async #send(channel, id, content) {
    const { timeline } = this.#rooms.get(channel);
    try {
      timeline.ack({ ...(await this.#chat.send(channel, content, this.#me(), { id })), id });
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
    room.timeline.presence(event, subscriberId, reason, at);
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
    for (const channel of this.#rooms.keys()) if (!channels.includes(channel)) this.#rooms.delete(channel);
    for (const channel of channels) if (!this.#rooms.has(channel)) this.#rooms.set(channel, this.#make(channel));
    if (!this.#rooms.has(this.#open)) this.open(channels[0] ?? "");
    for (const { view } of this.#rooms.values()) view.rename();
    this.#countUnread();
  }

  #make(channel) {
    const view = new MessageView(channel, (id) => this.#who(id), {
      retry: (entry) => {
        entry.name = this.#me();
        timeline.retry(entry);
        this.#send(channel, entry.id, entry.content);
      },
      edit: (entry) => {
        timeline.remove(entry);
        this.#input.value = [this.#input.value, entry.content].filter(Boolean).join("\n");
        this.#input.dispatchEvent(new Event("input"));
        this.#input.focus();
      },
      behind: () => this.#describe(),
    });
    const timeline = new Timeline(view);
    return { view, timeline };
  }

  #who(connectionID) {
    if (this.#chat.isOwn(connectionID)) return "You";
    return this.#names.get(connectionID);
  }

  #clear() {
    this.#input.value = "";
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
    this.#input.placeholder = open ? `Message #${open}` : "Join a channel to write";
    const connected = this.#chat.state === "connected";
    lead.textContent = connected ? "You are in no channel" : "Getting you in …";
    hint.textContent = connected ? "Join one on the left, or start your own." : "";
  }

  #countUnread() {
    const { unread } = this.#list;
    byID("menu-unread").hidden = unread === 0;
    document.title = unread > 0 ? `(${unread}) chatstack` : "chatstack";
  }
}
