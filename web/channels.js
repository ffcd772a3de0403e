// channels.js shows the list of joined channels, which one is open, and how much
// is unread in the others.

export class ChannelList {
  #list;
  #open;
  #items = new Map(); // channel -> { item, badge, unread }

  /** list is the ul to fill; open(channel) is called when one is chosen. */
  constructor(list, open) {
    this.#list = list;
    this.#open = open;
  }

  /** How many messages are unread in all channels. */
  get unread() {
    let sum = 0;
    for (const { unread } of this.#items.values()) sum += unread;
    return sum;
  }

  /** Shows exactly these channels, in this order. */
  show(channels) {
    for (const [channel, { item }] of this.#items) {
      if (channels.includes(channel)) continue;
      item.remove();
      this.#items.delete(channel);
    }
    for (const channel of channels) {
      if (this.#items.has(channel)) continue;
      const entry = this.#make(channel);
      this.#items.set(channel, entry);
      this.#list.append(entry.item);
    }
  }

  /** Marks the open channel, which is thereby read. */
  select(channel) {
    for (const [name, { item }] of this.#items) {
      const button = item.querySelector("button");
      if (name === channel) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
    this.mark(channel, 0);
  }

  /** Sets how many messages are unread in a channel. */
  mark(channel, unread) {
    const entry = this.#items.get(channel);
    if (!entry) return;
    entry.unread = unread;
    entry.item.dataset.unread = unread;
    entry.badge.hidden = unread === 0;
    entry.badge.textContent = unread > 99 ? "99+" : unread;
    entry.badge.setAttribute("aria-label", `${unread} unread`);
  }

  /** Adds one unread message. */
  count(channel) {
    this.mark(channel, (this.#items.get(channel)?.unread ?? 0) + 1);
  }

  #make(channel) {
    const item = document.createElement("li");
    item.dataset.testid = "channel";
    item.dataset.channel = channel;
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.testid = "channel-button";
    button.addEventListener("click", () => this.#open(channel));
    const hash = document.createElement("span");
    hash.className = "hash";
    hash.ariaHidden = "true";
    hash.textContent = "#";
    const name = document.createElement("span");
    name.className = "name";
    name.textContent = channel;
    const badge = document.createElement("span");
    badge.className = "badge";
    badge.dataset.testid = "unread";
    badge.hidden = true;
    button.append(hash, name, badge);
    item.append(button);
    return { item, badge, unread: 0 };
  }
}
