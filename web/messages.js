// messages.js shows a timeline: one element an entry, moved and changed as the
// timeline says, never rebuilt as a whole, so that a screen reader hears each
// line once and a selection survives the next message.

import { render } from "./markup.js";
import { clock, hue, initials, presence, shortID } from "./people.js";

/** Nearer to the end than this, in pixels, a reader follows the conversation. */
const following = 48;

/** Why a message was not sent, where it was not the server that refused it. */
const lost = { disconnected: ": no connection.", timeout: ": no answer." };

export class MessageView {
  /** The element to show, a log. */
  element = make("div", "log", {
    role: "log",
    "aria-live": "polite",
    "aria-relevant": "additions",
    tabindex: "0",
    "data-testid": "message-list",
  });
  #elements = new Map(); // entry -> element
  #who;
  #actions;
  #follows = true;
  #behind = false;
  #top = 0;

  /**
   * who(connectionID) names a subscriber, or knows no name; actions are
   * retry(entry) and edit(entry), for a message that was not sent, and
   * behind(), told when behind has changed.
   */
  constructor(channel, who, actions) {
    this.#who = who;
    this.#actions = actions;
    this.element.setAttribute("aria-label", `Messages in ${channel}`);
    this.element.dataset.channel = channel;
    this.element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#follows && this.toEnd()).observe(this.element);
  }

  /** Whether there are new messages below what the reader sees. */
  get behind() {
    return this.#behind;
  }

  place(entry, next) {
    let element = this.#elements.get(entry);
    const isNew = !element;
    if (isNew) {
      element = entry.kind === "notice" ? make("p", "notice", { "data-testid": "notice" }) : this.#message(entry);
      this.#elements.set(entry, element);
    }
    this.update(entry);
    const before = next ? this.#elements.get(next) : null;
    if (isNew || element.nextElementSibling !== before) this.element.insertBefore(element, before);
    if (this.#follows || (isNew && entry.state === "pending")) this.toEnd();
    else if (isNew) this.#setBehind(true);
  }

  update(entry) {
    const element = this.#elements.get(entry);
    if (!element) return; // not placed yet
    if (entry.kind === "notice") this.#fillNotice(element, entry);
    else this.#fillMessage(element, entry);
    if (this.#follows) this.toEnd();
  }

  remove(entry) {
    this.#elements.get(entry)?.remove();
    this.#elements.delete(entry);
  }

  /** Names everyone again, after a name or the own connection became known. */
  rename() {
    for (const [entry, element] of this.#elements) if (entry.kind === "notice") this.#fillNotice(element, entry);
  }

  toEnd() {
    this.#follows = true;
    this.element.scrollTop = this.element.scrollHeight;
    this.#setBehind(false);
  }

  /** Scrolls to where the reader was; only what stands in the page can scroll. */
  shown() {
    if (this.#follows) this.toEnd();
    else this.element.scrollTop = this.#top;
  }

  #setBehind(behind) {
    if (this.#behind === behind) return;
    this.#behind = behind;
    this.#actions.behind();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    if (clientHeight === 0) return;
    this.#top = scrollTop;
    this.#follows = scrollHeight - scrollTop - clientHeight < following;
    if (this.#follows) this.#setBehind(false);
  }

  #message(entry) {
    const element = make("article", "message", { "data-testid": "message" });
    element.append(
      make("p", "missed"),
      make("span", "avatar", { "aria-hidden": "true" }),
      make("header", "byline"),
      make("div", "content", { "data-testid": "content" }),
      make("footer", "status"),
    );
    element.children[2].append(make("span", "author", { "data-testid": "author" }), make("time", "time"));
    element.addEventListener("click", ({ target }) => {
      const action = target.closest("button")?.dataset.action;
      if (action) this.#actions[action](entry);
    });
    return element;
  }

  #fillMessage(element, { seq, name, content, at, own, state, error, follows, missed }) {
    set(element, { seq, own: Boolean(own), state, follows: Boolean(follows), author: name });
    element.style.setProperty("--hue", hue(name));
    const [gap, avatar, byline, body, status] = element.children;
    fill(gap, missed ? `${missed === 1 ? "1 message" : `${missed} messages`} not shown here` : "");
    fill(avatar, initials(name));
    const [author, time] = byline.children;
    fill(author, own ? "You" : name);
    fill(time, clock(at));
    time.dateTime = at.toISOString();
    time.title = at.toLocaleString();
    if (body.dataset.content !== content) {
      body.dataset.content = content;
      body.replaceChildren(render(content));
    }
    const line = state === "pending" ? "Sending…" : state === "failed" ? `Not sent${lost[error.code] ?? "."}` : "";
    if (status.dataset.line === line) return;
    status.dataset.line = line;
    status.replaceChildren(line);
    if (state === "failed") status.append(button("retry", "Try again", "message-retry"), button("edit", "Edit", "message-edit"));
  }

  #fillNotice(element, { event, subscriberID, reason, at }) {
    set(element, { kind: event, subscriber: subscriberID });
    element.title = `${subscriberID}, ${at.toLocaleString()}`;
    fill(element, presence(event, this.#who(subscriberID) ?? shortID(subscriberID), reason));
  }
}

function make(tag, className, attributes = {}) {
  const element = document.createElement(tag);
  element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function button(action, label, testID) {
  const element = make("button", "link", { type: "button", "data-action": action, "data-testid": testID });
  element.textContent = label;
  return element;
}

/** fill changes text only where it differs: each change is read out aloud. */
function fill(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function set(element, values) {
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete element.dataset[name];
    else if (element.dataset[name] !== String(value)) element.dataset[name] = value;
  }
}
