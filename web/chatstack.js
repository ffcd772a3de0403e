// chatstack.js is a client for the chatstack WebSocket API, for browsers and
// Node 22: it keeps one connection up, misses nothing while it was away, and
// turns the server's events into DOM events, those of a channel in its order.
//
//   const chat = new Chat("wss://abc123.execute-api.eu-west-1.amazonaws.com/dev");
//   chat.addEventListener("channel_message", ({ detail }) => console.log(detail.name, detail.content));
//   chat.connect();
//   await chat.send("General", "hello world!", "johndoe"); // it is stored
//
// link.js is one connection, order.js the order of one channel; this file joins
// them. chatstack.d.ts describes all that is exported here.

import { ChatError, Link, newID } from "./link.js";
import { Order } from "./order.js";

export { ChatError, newID };

/** The subprotocol by which a client says that it takes several events a frame. */
const subprotocol = "chatstack.v1";

/** A connection that lasted this long has proved the endpoint good again. */
const stableAfter = 10_000;

/** The events that take a number of a channel's order. */
const sequenced = new Set(["channel_message", "direct_message", "message_edited", "message_deleted"]);

/** Errors that another attempt may not meet. */
const passing = new Set(["timeout", "internal", "gateway", "rate_limited", "connection_closed"]);

/** How often a subscription is tried on one connection. */
const subscribeAttempts = 4;

/** The pauses before each look for what is missing, in ms; after the last it is given up. */
const gapPauses = [300, 1_000, 3_000];

/** The most messages that an answer gives. */
const maxHistory = 100;

/** For so long, in ms, the server surely knows the id of a user's message. */
const idLifetime = 9 * 60_000;

/** So long before a token expires, in ms, the connection is replaced. */
const expiryMargin = 60_000;

/** After so many attempts in a row that were not let in, the state says so. */
const refusals = 3;

const platformClock = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * backoff returns the milliseconds to wait before an attempt: anything up to a
 * ceiling that doubles with each (0, 1, 2 …). When a server ends ten thousand
 * connections at once, they must not return at once.
 */
export function backoff(attempt, { base = 1_000, limit = 30_000, random = Math.random } = {}) {
  return random() * Math.min(limit, base * 2 ** attempt);
}

export class Chat extends EventTarget {
  #endpoint;
  #options;
  #clock;
  #state = "closed";
  #reason = "";
  #retryAt = 0;
  #refused = 0; // attempts in a row that were not let in
  #ending = ""; // why the server is about to end the connection
  #you = { user: "", name: "", moderates: [], expiresAt: 0 };
  #renewed = 0; // the expiry for which a fresh token was asked for already
  #listed = false; // whether every direct conversation is known
  #trial = null; // of the attempt to connect, to know it from one given up
  #retryTimer;
  #renewTimer;
  #attempt = 0;
  #openedAt = Infinity;
  #link = null; // the connection in use
  #links = new Set(); // and those that begin or end
  #channels = null; // Set of joined channels; null until first told
  #orders = new Map(); // channel -> { peer, order, syncing, attempt, failures, until, look, waiters }
  #ids = new Set();
  #sends = new Map(); // id -> what is being sent
  #unsure = new Map(); // id -> the tries of a failed send
  #arrived = []; // own messages that came from a channel and have no ack yet
  #acked = new Set(); // messageIds

  constructor(endpoint, options = {}) {
    super();
    this.#endpoint = endpoint;
    this.#options = {
      token: "",
      timeout: 10_000,
      opening: 30_000,
      heartbeat: 5 * 60_000,
      lifetime: 110 * 60_000,
      patience: 2 * 60_000,
      clock: platformClock,
      random: Math.random,
      WebSocket: globalThis.WebSocket,
      ...options,
    };
    this.#options.backoff ??= (attempt) => backoff(attempt, { random: this.#options.random });
    this.#clock = this.#options.clock;
    if (options.channels) this.#channels = new Set(options.channels);
  }

  get state() {
    return this.#state;
  }

  get reason() {
    return this.#reason;
  }

  get retryAt() {
    return this.#retryAt;
  }

  get connectionID() {
    return this.#link?.connectionID ?? "";
  }

  get channels() {
    return [...(this.#channels ?? [])];
  }

  get user() {
    return this.#you.user;
  }

  get name() {
    return this.#you.name;
  }

  get moderates() {
    return this.#you.moderates;
  }

  get expiresAt() {
    return this.#you.expiresAt;
  }

  isModerator(channelID = "") {
    return this.moderates.some((pattern) => pattern === "*" || (channelID && matches(pattern, channelID)));
  }

  isOwn(id, user) {
    return this.#ids.has(id) || Boolean(user && user === this.user);
  }

  connect() {
    if (this.#state === "closed" || this.#state === "waiting") this.#open();
  }

  close() {
    this.#close("", new ChatError("disconnected", "the client was closed"));
  }

  /** Finds out whether the connection still lives, as after a sleep. */
  check() {
    if (this.#state === "waiting") this.connect();
    else this.#link?.probe();
  }

  send(channelID, content, name, { id = newID() } = {}) {
    return this.#send(id, "sendMessage", { channelId: channelID, content, name });
  }

  sendDirect(user, content, { id = newID() } = {}) {
    return this.#send(id, "sendDirect", { user, content });
  }

  edit(where, seq, content) {
    return this.#repeat("editMessage", { ...conversation(where), seq, content });
  }

  delete(where, seq) {
    return this.#repeat("deleteMessage", { ...conversation(where), seq });
  }

  async join(channelID) {
    const answer = await this.#subscribe(this.#link, channelID);
    this.#joined(channelID);
    return answer;
  }

  async leave(channelID) {
    const link = this.#link;
    if (!link?.isOpen) throw new ChatError("disconnected", "not connected");
    link.leaving.add(channelID);
    try {
      const answer = await link.request("unsubscribeChannel", { channelId: channelID });
      this.#left(channelID);
      return answer;
    } catch (error) {
      link.leaving.delete(channelID);
      throw error;
    }
  }

  async history(where, { before, after, limit } = {}) {
    const page = await this.request("getHistory", { ...conversation(where), before, after, limit });
    // From here on, what comes of a direct conversation has its place.
    if (where.user && page.channelId && before === undefined && after === undefined) {
      this.#converse(page.channelId, where.user, page.messages[0]?.seq ?? 0);
    }
    return page;
  }

  async listDirects({ cursor } = {}) {
    const page = await this.request("listDirects", { cursor });
    for (const { user, channelId, seq } of page.directs) this.#converse(channelId, user, seq);
    this.#listed ||= !page.cursor;
    return page;
  }

  members(channelID, { cursor } = {}) {
    return this.request("listMembers", { channelId: channelID, cursor });
  }

  async *everyMember(channelID) {
    for (let cursor; cursor !== ""; ) {
      const page = await this.members(channelID, { cursor });
      yield* page.members;
      cursor = page.cursor ?? "";
    }
  }

  kick(user, { channelID, reason } = {}) {
    return this.request("kickUser", { user, channelId: channelID, reason });
  }

  ban(user, { channelID, seconds, reason } = {}) {
    return this.request("banUser", { user, channelId: channelID, seconds, reason });
  }

  unban(user, { channelID } = {}) {
    return this.request("unbanUser", { user, channelId: channelID });
  }

  mute(user, { channelID, seconds, reason } = {}) {
    return this.request("muteUser", { user, channelId: channelID, seconds, reason });
  }

  unmute(user, { channelID } = {}) {
    return this.request("unmuteUser", { user, channelId: channelID });
  }

  slowMode(channelID, seconds) {
    return this.request("setSlowMode", { channelId: channelID, seconds });
  }

  typing(channelID, name) {
    return this.request("typing", { channelId: channelID, name });
  }

  whoami() {
    return this.request("whoami");
  }

  ping() {
    return this.request("ping");
  }

  request(action, fields = {}, { id = newID() } = {}) {
    const link = this.#link;
    if (link?.isOpen) return link.request(action, fields, id);
    link?.probe();
    return Promise.reject(new ChatError("disconnected", "not connected"));
  }

  // The connection

  async #open() {
    this.#abandon();
    this.#ending = "";
    this.#setState("connecting");
    const trial = (this.#trial = {});
    try {
      const link = await this.#dial(() => trial === this.#trial, () => this.#lost());
      if (!link) return;
      this.#openedAt = this.#clock.now();
      this.#use(link);
      this.#setState("open");
      for (const send of this.#sends.values()) this.#put(send);
    } catch (error) {
      if (trial !== this.#trial) return;
      if (error.code === "endpoint") {
        this.close();
        this.#tellError(error.code, error.message);
        return;
      }
      if (error.code !== "disconnected") this.#tellError(error.code ?? "disconnected", error.message);
      this.#lost();
    }
  }

  /** Makes a connection that is in its channels, or null once nobody wants it. */
  async #dial(isWanted, end) {
    const { endpoint, token } = await this.#address();
    if (!isWanted()) return null;
    const { timeout, opening, heartbeat, WebSocket } = this.#options;
    const link = new Link(connect(WebSocket, endpoint, token), {
      clock: this.#clock,
      timeout,
      opening,
      heartbeat,
      receive: (frame) => this.#receive(frame, link),
      answer: (frame) => this.#answered(frame),
      fail: (code, message) => this.#tellError(code, message),
      expire: () => link === this.#link && this.#expire(),
      end: () => {
        this.#links.delete(link);
        if (link === this.#link) end();
      },
    });
    this.#links.add(link);
    try {
      await link.opened.catch((error) => {
        this.#refused++; // a browser does not tell why
        throw error;
      });
      this.#refused = 0;
      const you = await link.request("whoami");
      link.connectionID = you.connectionId;
      link.user = you.user ?? "";
      this.#ids.add(you.connectionId);
      this.#meet(you);
      await this.#restore(link, you.channels ?? []);
      if (isWanted() && link.isOpen) return link;
      if (isWanted()) throw new ChatError("disconnected", "the connection ended at its beginning");
      this.#discard(link);
      return null;
    } catch (error) {
      this.#discard(link);
      throw error;
    }
  }

  /** Learns who this is; another user has other conversations. */
  #meet({ user = "", name = "", moderates = [], expiresAt }) {
    if (user !== this.user) {
      for (const [channel, { peer }] of this.#orders) if (peer) this.#forget(channel);
      this.#listed = false;
    }
    this.#you = { user, name, moderates, expiresAt: Date.parse(expiresAt) || 0 };
  }

  async #address() {
    try {
      const [endpoint, token] = await Promise.all([ask(this.#endpoint), ask(this.#options.token)]);
      return { endpoint, token };
    } catch {
      throw new ChatError("disconnected", "the endpoint or the token could not be had");
    }
  }

  #discard(link) {
    this.#links.delete(link);
    link.close();
  }

  /** Makes a connection the one in use. */
  #use(link) {
    this.#link = link;
    this.#planRenewal(Math.min(this.#options.lifetime * (1 - this.#options.random() * 0.1), this.#untilExpiry()));
    this.#dispatch("connection", { connectionId: link.connectionID, user: this.user });
    for (const entry of this.#orders.entries()) this.#watch(...entry);
    if (this.user) this.#resumeDirects(link);
  }

  /** Gives the time until a fresh token is worth asking for, once for each expiry. */
  #untilExpiry() {
    const left = this.expiresAt - this.#clock.now();
    if (typeof this.#options.token !== "function" || left <= 0 || this.expiresAt === this.#renewed) return Infinity;
    return left - Math.min(expiryMargin, left / 2);
  }

  /**
   * API Gateway ends each connection after two hours, and the chat when its token
   * expires. The next is made before, beside the one in use: what comes on both is told once, and the old one ends
   * when it has given its answers.
   */
  async #renew() {
    const old = this.#link;
    this.#renewed = this.expiresAt;
    const isWanted = () => old === this.#link && old.isOpen;
    try {
      const link = await this.#dial(isWanted, () => this.#lost());
      if (!link) return;
      this.#use(link);
      old.retire();
      for (const send of this.#sends.values()) if (!send.link) this.#put(send);
    } catch {
      if (isWanted()) this.#planRenewal(60_000);
    }
  }

  #planRenewal(delay) {
    this.#clock.clearTimeout(this.#renewTimer);
    this.#renewTimer = this.#clock.setTimeout(() => this.#renew(), delay);
  }

  #lost() {
    if (this.#ending === "banned") {
      this.#close("banned", new ChatError("banned", "you are banned here"));
      return;
    }
    if (this.#clock.now() - this.#openedAt > stableAfter) this.#attempt = 0;
    this.#abandon();
    const delay = this.#options.backoff(this.#attempt++);
    this.#retryAt = this.#clock.now() + delay;
    this.#retryTimer = this.#clock.setTimeout(() => this.#open(), delay);
    this.#setState("waiting", this.#refused >= refusals ? "refused" : this.#ending);
  }

  #close(reason, error) {
    this.#abandon();
    this.#refused = 0;
    this.#ending = "";
    for (const send of [...this.#sends.values()]) this.#fail(send, error);
    this.#setState("closed", reason);
  }

  /** Leaves nothing of a connection behind: no socket, timer or request. */
  #abandon() {
    this.#clock.clearTimeout(this.#retryTimer);
    this.#clock.clearTimeout(this.#renewTimer);
    this.#trial = null;
    this.#link = null;
    this.#openedAt = Infinity;
    for (const link of [...this.#links]) this.#discard(link);
    for (const state of this.#orders.values()) this.#stopLooking(state);
  }

  // Channels

  /** Puts a connection into the channels of this client, and out of others. */
  async #restore(link, current) {
    if (this.#channels === null) {
      this.#channels = new Set(current);
      this.#tellChannels();
    }
    const unwanted = current.filter((channel) => !this.#channels.has(channel));
    for (const channel of unwanted) {
      link.leaving.add(channel);
      this.#forget(channel);
    }
    await Promise.all([
      ...unwanted.map((channel) =>
        link.request("unsubscribeChannel", { channelId: channel }).catch((error) => {
          if (error.code === "disconnected" || error.code === "timeout") throw error;
          this.#tellError(error.code, `${channel}: ${error.message}`);
        }),
      ),
      ...this.channels.map((channel) => this.#return(link, channel)),
    ]);
  }

  /** A channel that the server refuses is no reason to give the connection up. */
  async #return(link, channel) {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#subscribe(link, channel);
        return;
      } catch (error) {
        if (error.code === "disconnected" || error.code === "timeout") throw error;
        if (!passing.has(error.code)) {
          this.#left(channel);
          this.#tellError(error.code, `${channel}: ${error.message}`);
          return;
        }
        if (attempt + 1 === subscribeAttempts) throw error;
        await this.#pause(attempt, error.retryAfter);
      }
    }
  }

  async #subscribe(link, channel) {
    if (!link?.isOpen) throw new ChatError("disconnected", "not connected");
    const state = this.#orderOf(channel);
    const after = state.order.last;
    state.syncing++;
    let answer;
    try {
      answer = await link.request("subscribeChannel", { channelId: channel, after: after ?? undefined });
    } catch (error) {
      state.syncing--;
      if (!this.#channels?.has(channel)) this.#forget(channel);
      throw error;
    }
    this.#catchUp(link, channel, state, after, answer);
    return answer;
  }

  /** Tells what was missed, as far as it can be had, and goes on from there. */
  async #catchUp(link, channel, state, after, { seq = 0, missed = [], more = false, from }) {
    const { order } = state;
    let count = 0;
    const take = (frames) => {
      for (const frame of frames) {
        if (frame.event.endsWith("_message") && !this.isOwn(frame.senderId, frame.user)) count++;
        this.#order(channel, state, frame);
      }
    };
    try {
      if (after === null) {
        if (order.last === null) this.#tell(channel, order.start(seq));
      } else if (from !== undefined && from <= after) {
        order.restart(from - 1);
        more = true; // what came meanwhile was taken for what is known
        this.#dispatch("reset", this.#named(channel));
      } else if (from > after + 1) {
        order.reach(from - 1);
        this.#tell(channel, order.giveUp(from - 1));
      }
      take(missed);
      for (let last = missed.at(-1)?.seq ?? order.last; more && last !== undefined; ) {
        const page = await link.request("getHistory", { ...this.#where(channel), after: last, limit: maxHistory });
        take(page.messages);
        last = page.messages.at(-1)?.seq;
        more = page.more;
      }
      if (after !== null) this.#dispatch("resumed", this.#named(channel, { after, seq, missed: count }));
    } catch {
      // What is not there yet is a gap, and is looked for as one.
    } finally {
      order.reach(seq);
      state.syncing--;
      this.#watch(channel, state);
    }
  }

  /** Takes up with a direct conversation, of which all up to seq is known. */
  #converse(channel, peer, seq) {
    const state = this.#orderOf(channel);
    if (!state.peer) {
      state.peer = peer;
      this.#tell(channel, state.order.start(seq));
    }
    return state;
  }

  /** Tells what was missed in direct conversations, those that began meanwhile too. */
  async #resumeDirects(link) {
    if (!this.#listed && ![...this.#orders.values()].some(({ peer }) => peer)) return;
    try {
      for (let cursor; cursor !== ""; ) {
        const page = await link.request("listDirects", { cursor });
        for (const { user, channelId, seq } of page.directs) {
          const state = this.#converse(channelId, user, this.#listed ? 0 : seq);
          const after = state.order.last;
          if (seq <= after) continue;
          state.syncing++;
          this.#catchUp(link, channelId, state, after, { seq, more: true });
        }
        cursor = page.cursor ?? "";
      }
    } catch {
      // The next connection asks again.
    }
  }

  /** The fields that name a conversation in a request. */
  #where(channel) {
    const peer = this.#orders.get(channel)?.peer;
    return peer ? { user: peer } : { channelId: channel };
  }

  /** What is told of a conversation, with the other user where it is direct. */
  #named(channel, detail) {
    const peer = this.#orders.get(channel)?.peer;
    return peer ? { ...detail, channelId: channel, peer } : { ...detail, channelId: channel };
  }

  #orderOf(channel) {
    let state = this.#orders.get(channel);
    if (!state) {
      state = { peer: "", order: new Order(), syncing: 0, attempt: 0, failures: 0, until: 0, look: null, waiters: [] };
      this.#orders.set(channel, state);
    }
    return state;
  }

  #order(channel, state, frame) {
    this.#tell(channel, state.order.take(frame));
    this.#watch(channel, state);
  }

  #tell(channel, told) {
    for (const frame of told) {
      if (!frame.event) {
        this.#dispatch("gap", this.#named(channel, frame));
        continue;
      }
      this.#noteOwn(frame);
      // One that is truncated has lost its channel as well.
      const detail = this.#named(channel, frame);
      if (detail.peer && detail.event === "channel_message") detail.event = "direct_message";
      this.#dispatch(detail.event, detail);
    }
  }

  /** Sees to what is missing; a frame that was merely overtaken gets a moment. */
  #watch(channel, state) {
    if (state.syncing > 0 || !this.#link) return;
    if (!state.order.missing) {
      this.#stopLooking(state);
      for (const resolve of state.waiters.splice(0)) resolve();
      return;
    }
    if (state.look) return;
    state.until = state.order.head;
    state.attempt = state.failures = 0;
    this.#lookLater(channel, state);
  }

  #lookLater(channel, state) {
    this.#stopLooking(state);
    const look = (state.look = {});
    look.timer = this.#clock.setTimeout(() => this.#look(channel, state, look), gapPauses[state.attempt]);
  }

  #stopLooking(state) {
    this.#clock.clearTimeout(state.look?.timer);
    state.look = null;
  }

  async #look(channel, state, look) {
    const { order } = state;
    const link = this.#link;
    try {
      let page;
      let after = order.last;
      do {
        page = await link.request("getHistory", { ...this.#where(channel), after, limit: maxHistory });
        if (state.look !== look) return;
        for (const frame of page.messages) this.#tell(channel, order.take(frame));
        after = page.messages.at(-1)?.seq;
      } while (page.more && after && after < state.until);
      state.attempt++;
    } catch {
      if (state.look !== look) return; // the connection has ended, and the next one resumes
      state.failures++;
    }
    const missing = order.missing?.from <= state.until;
    if (missing && state.attempt < gapPauses.length && state.failures < 2 * gapPauses.length) {
      this.#lookLater(channel, state);
      return;
    }
    this.#stopLooking(state);
    this.#tell(channel, order.giveUp(state.until));
    this.#watch(channel, state);
  }

  /** Resolves when nothing of a channel is missing, or it is left. */
  async #settled(channel) {
    for (let state; (state = this.#orders.get(channel)) && (state.syncing > 0 || state.order.missing); ) {
      await new Promise((resolve) => state.waiters.push(resolve));
    }
  }

  #forget(channel) {
    const state = this.#orders.get(channel);
    if (!state) return;
    this.#orders.delete(channel);
    this.#stopLooking(state);
    for (const resolve of state.waiters) resolve();
  }

  #joined(channel) {
    this.#channels ??= new Set();
    for (const link of this.#links) link.leaving.delete(channel);
    if (this.#channels.has(channel)) return;
    this.#channels.add(channel);
    this.#tellChannels();
  }

  #left(channel) {
    this.#forget(channel);
    if (this.#channels?.delete(channel)) this.#tellChannels();
  }

  // Sending

  #send(id, action, fields) {
    const under = this.#sends.get(id);
    if (under) return under.promise;
    if (this.#state === "closed") return Promise.reject(new ChatError("disconnected", "not connected"));
    const send = {
      id,
      action,
      fields,
      tries: this.#unsure.get(id) ?? { began: this.#clock.now(), connections: new Set() },
      user: null, // whom it is from, once it goes out
      attempt: 0,
      link: null,
      error: new ChatError("disconnected", "not connected"),
    };
    send.promise = new Promise((resolve, reject) => Object.assign(send, { resolve, reject }));
    send.deadline = this.#clock.setTimeout(() => this.#fail(send, send.error), this.#options.patience);
    this.#sends.set(id, send);
    if (!this.#link?.isOpen) this.#link?.probe();
    this.#put(send);
    return send.promise;
  }

  /** Puts a message on the connection in use, unless it is there already. */
  async #put(send) {
    const link = this.#link;
    if (!link?.isOpen || send.link === link || !this.#sends.has(send.id)) return;
    send.user ??= link.user;
    if (send.user !== link.user) {
      this.#fail(send, new ChatError("disconnected", "the connection is another user's now"));
      return;
    }
    send.link = link;
    this.#clock.clearTimeout(send.pause);
    const { began, connections } = send.tries;
    try {
      // The server knows the ids of a user wherever they come from, those of a connection only there.
      const isKnown = send.fields.user || (link.user && this.#clock.now() - began < idLifetime);
      if (!isKnown && connections.size > 0 && !connections.has(link.connectionID)) {
        await this.#findArrived(send, link);
        if (send.link !== link || !this.#sends.has(send.id)) return;
      }
      connections.add(link.connectionID);
      await link.request(send.action, send.fields, send.id); // answered settles it
    } catch (error) {
      if (send.link !== link || !this.#sends.has(send.id)) return;
      send.link = null;
      send.error = error;
      if (error.code === "disconnected" || error.code === "token_expired") this.#put(send); // or when there is a connection
      else if (!passing.has(error.code)) this.#fail(send, error);
      else send.pause = this.#clock.setTimeout(() => this.#put(send), error.retryAfter ?? this.#options.backoff(send.attempt++));
    }
  }

  /**
   * Without a user, another connection is another sender to the server, and what it
   * sends again another message. So what was sent before is looked for first, in all that the
   * channel has.
   */
  async #findArrived(send, link) {
    const { channelId } = send.fields;
    if (this.#orders.has(channelId)) {
      await this.#settled(channelId);
    } else {
      const { messages } = await link.request("getHistory", { channelId, limit: maxHistory });
      for (const frame of messages) this.#noteOwn(frame);
    }
    const candidates = this.#arrived.filter((frame) => frame.channelId === channelId && send.tries.connections.has(frame.senderId));
    const isOf = (other, frame) => other.tries.connections.has(frame.senderId) && trace(other.fields.content) === trace(frame.content);
    const others = [...this.#sends.values()].filter((other) => other !== send);
    const found =
      candidates.find((frame) => isOf(send, frame)) ??
      // The server may have changed the words beyond knowing.
      candidates.find((frame) => !others.some((other) => isOf(other, frame)));
    if (!found || !this.#sends.has(send.id)) return;
    const { messageId, seq, at } = found;
    this.#answered({ event: "ack", id: send.id, channelId, messageId, seq, at });
  }

  /** Remembers an own message from a channel, as its ack may never come. */
  #noteOwn(frame) {
    if (frame.event !== "channel_message" || !this.#ids.has(frame.senderId)) return;
    if (this.#acked.has(frame.messageId) || this.#arrived.some(({ messageId }) => messageId === frame.messageId)) return;
    this.#arrived.push(frame);
    if (this.#arrived.length > 1000) this.#arrived.shift();
  }

  #answered(frame) {
    if (frame.event !== "ack") return;
    if (frame.messageId) {
      this.#acked.add(frame.messageId);
      if (this.#acked.size > 1000) for (const oldest of [...this.#acked].slice(0, 100)) this.#acked.delete(oldest);
      this.#arrived = this.#arrived.filter(({ messageId }) => messageId !== frame.messageId);
    }
    const send = this.#sends.get(frame.id);
    if (send?.fields.user && frame.seq) this.#converse(frame.channelId, send.fields.user, frame.seq - 1);
    const state = this.#orders.get(frame.channelId);
    if (state && state.order.last !== null && frame.seq) {
      state.order.reach(frame.seq);
      this.#watch(frame.channelId, state);
    }
    if (!send) return;
    this.#unsure.delete(send.id);
    this.#end(send);
    send.resolve(frame);
  }

  #fail(send, error) {
    if (passing.has(error.code) || error.code === "disconnected") {
      this.#unsure.set(send.id, send.tries);
      if (this.#unsure.size > 100) this.#unsure.delete(this.#unsure.keys().next().value);
    } else {
      this.#unsure.delete(send.id);
    }
    this.#end(send);
    send.reject(error);
  }

  #end(send) {
    this.#sends.delete(send.id);
    this.#clock.clearTimeout(send.deadline);
    this.#clock.clearTimeout(send.pause);
  }

  /** Asks again what is safe to ask again, on the connection that may ask it. */
  async #repeat(action, fields) {
    const link = this.#link;
    for (let attempt = 0; ; attempt++) {
      try {
        if (!link?.isOpen) throw new ChatError("disconnected", "not connected");
        return await link.request(action, fields);
      } catch (error) {
        if (!passing.has(error.code) || attempt === 2) throw error;
        await this.#pause(attempt, error.retryAfter);
      }
    }
  }

  // Frames

  #receive(frame, link) {
    if (sequenced.has(frame.event)) {
      if (!Number.isSafeInteger(frame.seq) || frame.seq < 1 || !frame.channelId) {
        this.#tellError("frame", `the server sent a ${frame.event} without its place in a channel`);
        return;
      }
      const state = this.#orders.get(frame.channelId) ?? this.#begin(frame, link);
      if (state) this.#order(frame.channelId, state, frame);
      return;
    }
    if (frame.event === "ack") this.#answered(frame); // after its request had timed out
    if (this.#link && link !== this.#link) return; // the connection in use tells the same
    // Whoever else writes subscriptions may put this connection in or take it
    // out. The event is told while the channel is joined, either way.
    const own = link.connectionID && frame.subscriberId === link.connectionID;
    const { channelId } = frame;
    if (own && frame.event === "subscriber_sub" && !link.leaving.has(channelId) && !this.#channels?.has(channelId)) {
      this.#joined(channelId);
      this.#subscribe(link, channelId).catch(() => {}); // for its place in the order; else at the next connection
    }
    this.#dispatch(frame.event, this.#orders.get(channelId)?.peer ? this.#named(channelId, frame) : frame);
    // Of a connection that is about to end, the channels are those of the next.
    if (own && frame.event === "subscriber_unsub" && !link.leaving.delete(channelId) && !this.#ending) this.#left(channelId);
    this.#obey(frame);
  }

  /** Makes the order of a conversation of which a first frame has come, if it is one's own. */
  #begin({ event, channelId, user, to, seq }, link) {
    if (event === "direct_message" || to) return link.user ? this.#converse(channelId, user === link.user ? to : user, seq - 1) : null;
    // On a connection that begins, channels come before they are known.
    const begins = link !== this.#link && !link.leaving.has(channelId) && this.#channels?.has(channelId) !== false;
    return begins ? this.#orderOf(channelId) : null;
  }

  /** Does what the server has decided about the user; it ends the connection itself. */
  #obey({ event, channelId }) {
    if (event === "kicked" || event === "banned") {
      if (channelId) this.#left(channelId);
      else this.#ending = event;
    } else if (event === "unbanned" && !channelId) {
      this.#ending = "";
    } else if (event === "token_expired") {
      this.#expire();
    }
  }

  /** The server takes nothing more from a connection with this token. */
  #expire() {
    if (typeof this.#options.token === "function") {
      this.#ending = "token_expired";
      this.#lost();
    } else {
      this.#close("token_expired", new ChatError("token_expired", "the session has expired: a new token is needed"));
    }
  }

  #pause(attempt, delay = this.#options.backoff(attempt)) {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, delay));
  }

  #tellChannels() {
    this.#dispatch("channels", { channels: this.channels });
  }

  #setState(state, reason = "") {
    if (state === this.#state && state === "closed") return;
    this.#state = state;
    this.#reason = reason;
    this.#dispatch("state", { state, reason, retryAt: this.#retryAt });
  }

  #tellError(code, message) {
    this.#dispatch("error", { event: "error", code, message });
  }

  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function connect(WebSocket, endpoint, token) {
  try {
    return new WebSocket(endpoint, token ? [subprotocol, `bearer.${token}`] : [subprotocol]);
  } catch {
    // What the platform says would quote the token.
    throw new ChatError("endpoint", `not a WebSocket URL, or a token that no subprotocol can be: ${endpoint}`);
  }
}

/** The fields of a conversation that a caller names: a channel, or { user }. */
function conversation(where) {
  return typeof where === "string" ? { channelId: where } : { user: where.user };
}

/** Reports whether a text is as a pattern has it, where * stands for any characters. */
function matches(pattern, text) {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "su").test(text);
}

function ask(value) {
  return typeof value === "function" ? value() : value;
}

/** trace is what is left of a message's words whatever the server does to its markup. */
function trace(content = "") {
  const characters = { amp: "&", lt: "<", gt: ">", "#34": '"', "#39": "'" };
  return content
    .replace(/&(amp|lt|gt|#34|#39);/g, (_, name) => characters[name])
    .replace(/<[^>]*>|\s+/g, "");
}
