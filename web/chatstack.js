// chatstack.js is a client for the chatstack WebSocket API: it keeps one
// connection up, matches each answer to its request, and turns the server's
// events into DOM events. It needs no page, only EventTarget and a WebSocket.
//
//   const chat = new Chat("wss://abc123.execute-api.eu-west-1.amazonaws.com/dev");
//   chat.addEventListener("channel_message", ({ detail }) => console.log(detail.name, detail.content));
//   chat.connect();
//   …
//   await chat.send("General", "hello world!", "johndoe");
//
// Events, each a CustomEvent with the frame as its detail:
//   channel_message, subscriber_sub, subscriber_unsub   as the protocol has them
//   ack, subscribed, …   an answer that came after its request had timed out
//   error      { code, message }: a mistake that belongs to no request
//   state      { state, retryAt }: the connection's state has changed
//   channels   { channels }: the set of joined channels has changed

/** The events that are sent to a channel, and so never answer a request. */
const broadcasts = new Set(["channel_message", "subscriber_sub", "subscriber_unsub"]);

/** A connection that lasted this long has proved the endpoint good again. */
const stableAfter = 10_000;

/** API Gateway ends the connection on a longer frame, in bytes. */
const maxFrame = 32 * 1024;

/**
 * A ChatError is an error of the protocol. Act on its code, never on its text:
 * "timeout" (no answer in time), "disconnected" (not connected, or the
 * connection ended before the answer), "gateway" (API Gateway answered in the
 * chat's place), "endpoint" (not a WebSocket URL), "frame" (the server sent what
 * is no JSON object), or a code of the server's own, among which is
 * "frame_too_large": that one is found here, for the server could not answer.
 */
export class ChatError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "ChatError";
    this.code = code;
  }
}

/**
 * backoff returns the milliseconds to wait before reconnecting: doubled with
 * each attempt (0, 1, 2 …) up to a limit, then somewhere in its upper half. When
 * a server ends ten thousand connections at once, they must not all return at
 * once; nor may any return at once.
 */
export function backoff(attempt, { base = 500, limit = 30_000, random = Math.random } = {}) {
  const ceiling = Math.min(limit, base * 2 ** attempt);
  return ceiling / 2 + (random() * ceiling) / 2;
}

/** newID returns 96 random bits as text; randomUUID is missing on plain http. */
export function newID() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * A Chat is one connection that comes back by itself. Its state is one of
 *   "offline"     not connected and not trying: before connect, after close
 *   "connecting"  opening the socket, asking who it is, rejoining its channels
 *   "connected"   ready
 *   "waiting"     the connection was lost; the next attempt is at retryAt
 */
export class Chat extends EventTarget {
  #endpoint;
  #options;
  #state = "offline";
  #retryAt = 0;
  #retryTimer;
  #attempt = 0;
  #connectedAt = Infinity;
  #socket = null;
  #requests = new Map(); // id -> { resolve, reject, timer }
  #channels = null; // Set of joined channels; null until first told
  #ids = new Set();
  #connectionID = "";
  #heartbeatTimer;
  #probing = false;

  /**
   * endpoint is the WebSocket URL, or a function that returns it or a promise
   * of it; a function is asked again before every attempt. Options:
   *   channels   the channels to be in, where others are left; default: those
   *              that the server puts every connection in
   *   timeout    ms to wait for an answer; default 10 s
   *   opening    ms to wait for the connection; default 30 s, as API Gateway
   *              gives $connect 29 s
   *   heartbeat  ms without a frame after which to ping; default 4 min, as API
   *              Gateway closes a connection that is idle for 10 min
   *   backoff    (attempt) => ms to wait before reconnecting
   *   WebSocket  the class to connect with; default the platform's
   */
  constructor(endpoint, options = {}) {
    super();
    this.#endpoint = endpoint;
    this.#options = {
      timeout: 10_000,
      opening: 30_000,
      heartbeat: 4 * 60_000,
      backoff,
      WebSocket: globalThis.WebSocket,
      ...options,
    };
    if (options.channels) this.#channels = new Set(options.channels);
  }

  get state() {
    return this.#state;
  }

  /** When the next attempt is made, in ms since the epoch, while waiting. */
  get retryAt() {
    return this.#retryAt;
  }

  /** The id of the newest connection, or "" before the first. */
  get connectionID() {
    return this.#connectionID;
  }

  /** The joined channels, in the order in which they were joined. */
  get channels() {
    return [...(this.#channels ?? [])];
  }

  /** Reports whether id is, or was, a connection of this client. */
  isOwn(id) {
    return this.#ids.has(id);
  }

  /** Connects, at once even when waiting. Does nothing if there is a connection. */
  connect() {
    if (this.#state === "offline" || this.#state === "waiting") this.#open();
  }

  /** Ends the connection, and with it every request, until connect is called. */
  close() {
    this.#abandon();
    this.#setState("offline");
  }

  /**
   * Sends a message and resolves to its ack: the message is stored. Repeat a
   * failed send with the id of the first, so that a server that has it knows.
   */
  send(channelID, content, name, { id } = {}) {
    return this.request("sendMessage", { channelId: channelID, content, name }, { id });
  }

  /** Joins a channel, which the first subscription creates. */
  async join(channelID) {
    const answer = await this.request("subscribeChannel", { channelId: channelID });
    this.#joined(answer.channelId ?? channelID);
    return answer;
  }

  async leave(channelID) {
    const answer = await this.request("unsubscribeChannel", { channelId: channelID });
    this.#left(answer.channelId ?? channelID);
    return answer;
  }

  whoami() {
    return this.request("whoami");
  }

  ping() {
    return this.request("ping");
  }

  /**
   * Sends a frame and resolves to the server's answer. It rejects with a
   * ChatError if the answer is an error, or none comes. For the actions that
   * have no method here, such as those of routes of one's own.
   */
  request(action, fields = {}, { id = newID() } = {}) {
    return new Promise((resolve, reject) => {
      if (this.#socket?.readyState !== 1) {
        reject(new ChatError("disconnected", "not connected"));
        return;
      }
      const frame = JSON.stringify({ action, id, ...fields });
      const { length } = new TextEncoder().encode(frame);
      if (length > maxFrame) {
        reject(new ChatError("frame_too_large", `the frame is ${length} bytes long: the gateway takes ${maxFrame}`));
        return;
      }
      const timer = setTimeout(() => {
        this.#requests.delete(id);
        reject(new ChatError("timeout", "the server did not answer in time"));
        this.#probe();
      }, this.#options.timeout);
      this.#requests.set(id, { resolve, reject, timer });
      this.#socket.send(frame);
      this.#beat();
    });
  }

  async #open() {
    this.#abandon();
    this.#setState("connecting");
    // An attempt that was given up while it waited finds another socket here.
    const attempt = (this.#socket = {});
    let url;
    try {
      url = await (typeof this.#endpoint === "function" ? this.#endpoint() : this.#endpoint);
    } catch {
      if (attempt === this.#socket) this.#lost();
      return;
    }
    if (attempt !== this.#socket) return;
    let socket;
    try {
      socket = new this.#options.WebSocket(url);
    } catch {
      this.close();
      this.#fail("endpoint", `not a WebSocket URL: ${url}`);
      return;
    }
    this.#socket = socket;
    const timer = setTimeout(() => this.#drop(socket), this.#options.opening);
    socket.onopen = () => {
      clearTimeout(timer);
      this.#greet(socket);
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#receive(data);
    };
    socket.onclose = () => {
      clearTimeout(timer);
      if (socket === this.#socket) this.#lost();
    };
  }

  /** Asks who this connection is and puts it into its channels. */
  async #greet(socket) {
    try {
      const you = await this.whoami();
      this.#connectionID = you.connectionId;
      this.#ids.add(you.connectionId);
      await this.#restore(you.channels ?? []);
    } catch (error) {
      if (socket !== this.#socket) return;
      this.#fail(error.code, error.message);
      this.#drop(socket);
      return;
    }
    if (socket !== this.#socket) return;
    this.#connectedAt = Date.now();
    this.#setState("connected");
  }

  async #restore(current) {
    if (this.#channels === null) {
      this.#channels = new Set(current);
      this.#tellChannels();
      return;
    }
    const wanted = this.channels;
    const unwanted = current.filter((channel) => !this.#channels.has(channel));
    const missing = wanted.filter((channel) => !current.includes(channel));
    await Promise.all([
      ...unwanted.map((channel) => this.#reconcile(this.leave(channel), channel, () => this.#joined(channel))),
      ...missing.map((channel) => this.#reconcile(this.join(channel), channel, () => this.#left(channel))),
    ]);
    this.#tellChannels();
  }

  /** A channel that the server refuses is no reason to give the connection up. */
  async #reconcile(answer, channel, refused) {
    try {
      await answer;
    } catch (error) {
      if (error.code === "disconnected" || error.code === "timeout") throw error;
      refused();
      this.#fail(error.code, `${channel}: ${error.message}`);
    }
  }

  #receive(text) {
    this.#beat();
    const frame = parse(text);
    if (!frame) {
      this.#fail("frame", "the server sent a frame that is no JSON object");
      return;
    }
    if (this.#requests.has(frame.id) && !broadcasts.has(frame.event)) {
      if (frame.event === "error") this.#settle(frame.id, new ChatError(frame.code, frame.message));
      else this.#settle(frame.id, null, frame);
      return;
    }
    if (!frame.event) {
      this.#gateway(frame);
      return;
    }
    // Whoever else writes subscriptions may put this connection in or take it
    // out. The event is told while the channel is joined, either way.
    const own = this.#connectionID && frame.subscriberId === this.#connectionID;
    if (own && frame.event === "subscriber_sub") this.#joined(frame.channelId);
    this.#dispatch(frame.event, frame);
    if (own && frame.event === "subscriber_unsub") this.#left(frame.channelId);
  }

  /**
   * API Gateway's own frames ("Internal server error") say nothing of the
   * request. When only one is open, the frame can only be its answer.
   */
  #gateway({ message }) {
    const text = typeof message === "string" ? message : "the gateway sent an unknown frame";
    if (this.#requests.size === 1) {
      const [id] = this.#requests.keys();
      this.#settle(id, new ChatError("gateway", text));
      return;
    }
    this.#fail("gateway", text);
  }

  #settle(id, error, answer) {
    const { resolve, reject, timer } = this.#requests.get(id);
    this.#requests.delete(id);
    clearTimeout(timer);
    if (error) reject(error);
    else resolve(answer);
  }

  /** Pings after a silence, so that neither side takes the other for gone. */
  #beat() {
    clearTimeout(this.#heartbeatTimer);
    this.#heartbeatTimer = setTimeout(() => this.#probe(), this.#options.heartbeat);
  }

  /** Finds out whether a silent connection still lives; a browser cannot tell. */
  async #probe() {
    const socket = this.#socket;
    if (this.#probing || socket?.readyState !== 1) return;
    this.#probing = true;
    try {
      await this.ping();
    } catch (error) {
      if (error.code === "timeout" && socket === this.#socket) this.#drop(socket);
    } finally {
      this.#probing = false;
    }
  }

  /** Gives a connection up without waiting for the other side to agree. */
  #drop(socket) {
    if (socket === this.#socket) this.#lost();
  }

  #lost() {
    if (Date.now() - this.#connectedAt > stableAfter) this.#attempt = 0;
    this.#abandon();
    const delay = this.#options.backoff(this.#attempt++);
    this.#retryAt = Date.now() + delay;
    this.#retryTimer = setTimeout(() => this.#open(), delay);
    this.#setState("waiting");
  }

  /** Leaves nothing of the connection behind: no socket, timer or request. */
  #abandon() {
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#heartbeatTimer);
    const socket = this.#socket;
    this.#socket = null;
    this.#connectedAt = Infinity;
    socket?.close?.();
    for (const id of [...this.#requests.keys()]) {
      this.#settle(id, new ChatError("disconnected", "the connection ended before the server answered"));
    }
  }

  #joined(channel) {
    this.#channels ??= new Set();
    if (this.#channels.has(channel)) return;
    this.#channels.add(channel);
    this.#tellChannels();
  }

  #left(channel) {
    if (this.#channels?.delete(channel)) this.#tellChannels();
  }

  #tellChannels() {
    this.#dispatch("channels", { channels: this.channels });
  }

  #setState(state) {
    this.#state = state;
    this.#dispatch("state", { state, retryAt: this.#retryAt });
  }

  #fail(code, message) {
    this.#dispatch("error", { event: "error", code, message });
  }

  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** parse returns the object that text holds, or null. */
function parse(text) {
  try {
    const frame = JSON.parse(text);
    return typeof frame === "object" && !Array.isArray(frame) ? frame : null;
  } catch {
    return null;
  }
}
