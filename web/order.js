// order.js puts what happens in one channel into the order of its sequence
// numbers, without clock or network: chatstack.js asks it what is missing.

/** How many numbers that were given up, and messages told, are remembered. */
const remembered = 1000;

/**
 * An Order takes the frames of a channel that have a `seq`, in whatever order
 * and however often they come, and gives each once, in order. What comes before
 * its turn is held. Until start, everything is.
 */
export class Order {
  /** Up to here everything was told or given up; null before start. */
  last = null;
  /** The highest number that is known to be taken. */
  head = 0;
  #base = 0; // where start began: what is below was never asked for
  #held = new Map(); // seq -> frame
  #lost = new Set(); // given up
  #early = new Set(); // told although it is not above base
  #messages = new Set(); // the messageIds told

  /** The first number that is missing and the last one next to it, or null. */
  get missing() {
    if (this.last === null || this.last >= this.head) return null;
    return { from: this.last + 1, to: Math.min(this.head, ...this.#held.keys()) - (this.#held.size > 0 ? 1 : 0) };
  }

  /** Begins after seq, or earlier where earlier frames have come already. */
  start(seq) {
    this.last = Math.min(seq, ...[...this.#held.keys()].map((held) => held - 1));
    this.#base = this.last;
    this.reach(seq);
    return this.#flush();
  }

  /** Forgets everything: the channel has begun anew, with the number after last. */
  restart(last) {
    this.last = this.#base = this.head = last;
    for (const known of [this.#held, this.#lost, this.#early, this.#messages]) known.clear();
  }

  /** A number is known to be taken, though its frame has not come. */
  reach(seq) {
    this.head = Math.max(this.head, seq);
  }

  /** Takes a frame and returns those whose turn it is. */
  take(frame) {
    const { seq } = frame;
    if (this.last === null || seq > this.last) {
      this.#held.set(seq, frame);
      this.reach(seq);
      return this.last === null ? [] : this.#flush();
    }
    if (this.#lost.delete(seq)) return this.#once({ ...frame, late: true });
    if (seq > this.#base || this.#early.has(seq)) return [];
    // It was being stored while this client subscribed.
    this.#early.add(seq);
    return this.#once({ ...frame, late: true });
  }

  /**
   * Waits no longer for the missing numbers up to a number. Returns what is told
   * instead: { from, to } for each gap, between the frames that were held for it.
   */
  giveUp(to) {
    const told = [];
    for (let gap = this.missing; gap && gap.from <= to; gap = this.missing) {
      gap.to = Math.min(gap.to, to);
      for (let seq = Math.max(gap.from, gap.to - remembered + 1); seq <= gap.to; seq++) this.#lost.add(seq);
      trim(this.#lost);
      this.last = gap.to;
      told.push(gap, ...this.#flush());
    }
    return told;
  }

  #flush() {
    const told = [];
    for (let frame; (frame = this.#held.get(this.last + 1)); ) {
      this.#held.delete(++this.last);
      told.push(...this.#once(frame));
    }
    return told;
  }

  /** A message has one number; should it come under two, it is told once. */
  #once(frame) {
    if (frame.event !== "channel_message" || !frame.messageId) return [frame];
    if (this.#messages.has(frame.messageId)) return [];
    this.#messages.add(frame.messageId);
    trim(this.#messages);
    return [frame];
  }
}

function trim(set) {
  for (const oldest of set) {
    if (set.size <= remembered) return;
    set.delete(oldest);
  }
}
