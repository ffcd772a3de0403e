// connection.js shows the state of the connection, always in words, and counts
// the seconds to the next attempt.

const words = { closed: "Offline", connecting: "Connecting…", open: "Connected" };

/** What there is without a chat. */
const nowhere = { state: "closed", reason: "", retryAt: 0 };

/** What is said in place of it where more is known. */
const closed = { banned: "Banned", token_expired: "Signed out" };
const waiting = { refused: "Not let in, again", kicked: "Removed, back" };

export class ConnectionView {
  #chat = null;
  #timer;
  #resume = false;
  #parts;

  /**
   * parts are elements: box and text show the state, announce tells it to a
   * screen reader (once, not each second), retry tries at once, toggle
   * disconnects and connects.
   */
  constructor(parts) {
    this.#parts = parts;
    parts.retry.addEventListener("click", () => this.#chat?.connect());
    parts.toggle.addEventListener("click", () => {
      if (this.#chat?.state === "closed") this.#chat.connect();
      else this.#chat?.close();
    });
    // A page that is left may be kept for the way back: whoever left is gone.
    addEventListener("pagehide", () => {
      this.#resume = this.#chat && this.#chat.state !== "closed";
      this.#chat?.close();
    });
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted && this.#resume) this.#chat.connect();
    });
    // Back from sleep or a tunnel, nobody wants to wait for the backoff.
    addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#hurry();
    });
  }

  /** Follows a chat, or none, in place of the one before. */
  follow(chat) {
    this.#chat = chat;
    chat?.addEventListener("state", () => {
      if (chat === this.#chat) this.#show();
    });
    this.#show();
  }

  #hurry() {
    if (this.#chat && this.#chat.state !== "closed") this.#chat.check();
  }

  #show() {
    const { box, text, announce, retry, toggle } = this.#parts;
    const { state, reason } = this.#chat ?? nowhere;
    box.dataset.state = text.dataset.state = state;
    retry.hidden = state !== "waiting";
    toggle.hidden = !this.#chat;
    toggle.textContent = state === "closed" ? "Connect" : "Disconnect";
    announce.textContent = this.#words ?? (reason === "refused" ? "Not let in, trying again" : "Connection lost, reconnecting");
    clearInterval(this.#timer);
    if (state === "waiting") this.#timer = setInterval(() => this.#count(), 250);
    this.#count();
  }

  /** What the state is called; a wait is counted instead. */
  get #words() {
    const { state, reason } = this.#chat ?? nowhere;
    return (state === "closed" && closed[reason]) || words[state];
  }

  #count() {
    const { reason, retryAt } = this.#chat ?? nowhere;
    const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1000));
    const text = this.#words ?? `${waiting[reason] ?? "Reconnecting"} in ${seconds} s`;
    if (this.#parts.text.textContent !== text) this.#parts.text.textContent = text;
  }
}
