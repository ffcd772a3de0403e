// link.js is one connection: frames in and out, each answer matched to its
// request, and a ping when it is silent. It ends once and does not come back;
// chatstack.js makes the next.

/** The events that are sent to a channel, and so never answer a request. */
const broadcasts = new Set([
  "channel_message", "message_edited", "message_deleted", "subscriber_sub", "subscriber_unsub", "typing", "direct_message",
]);

/** API Gateway ends the connection on a longer frame, in bytes. */
const maxFrame = 32 * 1024;

/** An error of the protocol or of the client. Act on its code, never on its text. */
export class ChatError extends Error {
  constructor(code, message, retryAfter) {
    super(message);
    this.name = "ChatError";
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** newID returns 96 random bits as text; randomUUID is missing on plain http. */
export function newID() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Link {
  /** The id that the server knows this connection by, once it has told. */
  connectionID = "";
  /** And the user that it is of, "" where users are anonymous. */
  user = "";
  /** The channels that this connection is on its way out of. */
  leaving = new Set();
  /** Resolves when frames can be sent; rejects if that never happens. */
  opened;
  #socket;
  #clock;
  #options;
  #requests = new Map(); // id -> { resolve, reject, timer }
  #idle = []; // to call once nothing is asked any more
  #timer; // of the opening, then of the heartbeat
  #probing = false;
  #ended = false;

  /**
   * options are { clock, timeout, opening, heartbeat } of the client, and to be
   * told: receive(frame) what answers no request, answer(frame) what does,
   * fail(code, message) what is wrong with a frame, expire() that the token has
   * expired, end() the end, once.
   */
  constructor(socket, options) {
    this.#socket = socket;
    this.#options = options;
    this.#clock = options.clock;
    this.opened = new Promise((resolve, reject) => {
      this.#timer = this.#clock.setTimeout(() => this.#end(), options.opening);
      socket.onopen = () => {
        if (this.#ended) return;
        this.#beat();
        resolve();
      };
      this.#idle.push(() => reject(new ChatError("disconnected", "the connection could not be opened")));
    });
    this.opened.catch(() => {}); // whoever waits for it is told
    socket.onmessage = ({ data }) => this.#ended || this.#receive(data);
    socket.onclose = () => this.#end();
    socket.onerror = () => {}; // onclose follows
  }

  get isOpen() {
    return !this.#ended && this.#socket.readyState === 1;
  }

  /** Sends a frame and resolves to its answer. */
  request(action, fields = {}, id = newID()) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) throw new ChatError("disconnected", "not connected");
      const frame = JSON.stringify({ action, id, ...fields });
      const { length } = new TextEncoder().encode(frame);
      if (length > maxFrame) {
        throw new ChatError("frame_too_large", `the frame is ${length} bytes long: the gateway takes ${maxFrame}`);
      }
      const timer = this.#clock.setTimeout(() => {
        this.#settle(id, new ChatError("timeout", "the server did not answer in time"));
        this.probe();
      }, this.#options.timeout);
      this.#requests.set(id, { resolve, reject, timer });
      this.#socket.send(frame);
      this.#beat();
    });
  }

  /** Finds out whether a silent connection still lives; a browser cannot tell. */
  async probe() {
    // One that is being closed may take for ever, where the other side has gone.
    if (this.#socket.readyState > 1) this.#end();
    if (this.#probing || !this.isOpen) return;
    this.#probing = true;
    try {
      await this.request("ping");
    } catch ({ code }) {
      if (code === "timeout") this.#end();
    } finally {
      this.#probing = false;
    }
  }

  /** Ends once every request has its answer; nothing new must be asked. */
  retire() {
    if (this.#requests.size === 0) this.close();
    else this.#idle.push(() => this.close());
  }

  /** Ends the connection without telling end(). */
  close() {
    this.#options.end = () => {};
    this.#end();
  }

  #end() {
    if (this.#ended) return;
    this.#ended = true;
    this.#clock.clearTimeout(this.#timer);
    const { end } = this.#options; // which knows of it before anyone who asked
    this.#socket.close(1000);
    end();
    for (const id of [...this.#requests.keys()]) {
      this.#settle(id, new ChatError("disconnected", "the connection ended before the server answered"));
    }
    this.#rest();
  }

  #receive(data) {
    this.#beat();
    // With chatstack.v1 a frame may hold several events, one a line.
    for (const line of String(data).split("\n").filter((line) => line.trim() !== "")) {
      const frame = parse(line);
      if (!frame) this.#options.fail("frame", "the server sent a frame that is no JSON object");
      else this.#take(frame);
    }
  }

  #take(frame) {
    if (this.#requests.has(frame.id) && frame.event && !broadcasts.has(frame.event)) {
      if (frame.event === "error") {
        this.#settle(frame.id, new ChatError(frame.code, frame.message, frame.retryAfterMs));
        if (frame.code === "token_expired") this.#options.expire();
        return;
      }
      this.#options.answer(frame);
      this.#settle(frame.id, null, frame);
    } else if (frame.event) {
      this.#options.receive(frame);
    } else {
      this.#gateway(frame);
    }
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
    } else {
      this.#options.fail("gateway", text);
    }
  }

  #settle(id, error, answer) {
    const { resolve, reject, timer } = this.#requests.get(id);
    this.#requests.delete(id);
    this.#clock.clearTimeout(timer);
    if (error) reject(error);
    else resolve(answer);
    if (this.#requests.size === 0 && this.isOpen) this.#rest();
  }

  #rest() {
    for (const call of this.#idle.splice(0)) call();
  }

  #beat() {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = this.#clock.setTimeout(() => this.probe(), this.#options.heartbeat);
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
