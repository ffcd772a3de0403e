// limits.js knows what keeps a person from writing for a while: a channel in slow
// mode, or being muted.

import { clock, seconds } from "./people.js";

export class Limits {
  #slow = new Map(); // channel -> seconds between two messages
  #waits = new Map(); // channel -> when the next may be sent
  #mutes = new Map(); // channel, or "" for everywhere -> when it ends
  #now;

  constructor(now = Date.now) {
    this.#now = now;
  }

  /** A channel is in slow mode, or no more with 0. */
  slow(channel, count) {
    if (count > 0) this.#slow.set(channel, count);
    else this.#slow.delete(channel);
    if (count === 0) this.#waits.delete(channel);
  }

  /** A message was sent to a channel. */
  sent(channel) {
    if (this.#slow.has(channel)) this.#waits.set(channel, this.#now() + this.#slow.get(channel) * 1000);
  }

  /** The server wants no other message for so many milliseconds. */
  refuse(channel, delay) {
    this.#waits.set(channel, this.#now() + delay);
  }

  /** A moderator has muted this person, or no more. */
  decide({ event, channelId = "", until }) {
    if (event === "muted") this.#mutes.set(channelId, Date.parse(until) || Infinity);
    if (event === "unmuted") this.#mutes.delete(channelId);
  }

  /** How many seconds a channel in slow mode takes no message of this person. */
  wait(channel) {
    return Math.max(0, Math.ceil(((this.#waits.get(channel) ?? 0) - this.#now()) / 1000));
  }

  /** What to say beside the field that one writes in, and whether it changes by the second. */
  sentence(channel) {
    const muted = Math.max(this.#mutes.get(channel) ?? 0, this.#mutes.get("") ?? 0);
    if (muted > this.#now()) {
      const end = muted === Infinity ? "" : ` until ${clock(new Date(muted), new Date(this.#now()))}`;
      return { text: `You are muted${end}`, passes: muted !== Infinity };
    }
    const wait = this.wait(channel);
    if (wait > 0) return { text: `Slow mode: wait ${wait} s`, passes: true };
    const slow = this.#slow.get(channel);
    return { text: slow ? `Slow mode: ${seconds(slow)}` : "", passes: false };
  }
}
