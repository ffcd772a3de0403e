// typing.js knows who is writing, and tells the others when this person is.

/** Somebody is taken to be writing for so long after the last word of it, in ms. */
const fading = 5_000;

/** How often the others are told, in ms. */
const telling = 3_000;

const platformClock = {
  now: () => Date.now(),
  setTimeout: (callback, delay) => setTimeout(callback, delay),
  clearTimeout: (timer) => clearTimeout(timer),
};

/** Who is writing in one conversation. */
export class Typing {
  #writers = new Map(); // key -> { name, timer }
  #changed;
  #clock;

  /** changed() is called when names has changed. */
  constructor(changed, clock = platformClock) {
    this.#changed = changed;
    this.#clock = clock;
  }

  get names() {
    return [...this.#writers.values()].map(({ name }) => name);
  }

  /** A person writes. */
  note(key, name) {
    const known = this.#writers.get(key);
    this.#clock.clearTimeout(known?.timer);
    this.#writers.set(key, { name, timer: this.#clock.setTimeout(() => this.stop(key), fading) });
    if (known?.name !== name) this.#changed();
  }

  /** A person has said it, or gone. */
  stop(key) {
    this.#clock.clearTimeout(this.#writers.get(key)?.timer);
    if (this.#writers.delete(key)) this.#changed();
  }
}

/** Says no more often than the others want to know that this person writes. */
export class Teller {
  #told = -Infinity;
  #where = "";
  #clock;

  constructor(clock = platformClock) {
    this.#clock = clock;
  }

  /** Reports whether it is time to tell a conversation. */
  isDue(where) {
    const now = this.#clock.now();
    if (where === this.#where && now - this.#told < telling) return false;
    this.#told = now;
    this.#where = where;
    return true;
  }

  /** What was being written is said: what follows is told at once. */
  reset() {
    this.#told = -Infinity;
  }
}
