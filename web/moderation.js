// moderation.js is what a moderator may do: to a person in a channel, and to the
// channel.

import { askDecision } from "./dialogs.js";
import { refused, seconds } from "./people.js";

const tenMinutes = 600;

/** The pauses between two messages that slow mode offers, in seconds. */
const pauses = [10, 30, 60, 300];

/** decisions are the items of a menu for a person in a channel. */
export function decisions(chat, toast, { user, name, channel }) {
  const ask = async (method, done, fields, words) => {
    const answer = await askDecision({ ...words, everywhere: chat.isModerator() });
    if (!answer) return;
    const { reason, everywhere } = answer;
    await tell(toast, channel, done, () => chat[method](user, { ...fields, reason, channelID: everywhere ? undefined : channel }));
  };
  // What was decided everywhere ends only where it was decided.
  const lift = (method, done) =>
    tell(toast, channel, done, async () => {
      for (const channelID of chat.isModerator() ? [channel, undefined] : [channel]) await chat[method](user, { channelID });
    });
  const mute = (span, fields) =>
    ask("mute", `${name} is muted.`, fields, { title: `Mute ${name} ${span}?`, hint: "They can read and not write.", button: "Mute" });
  const ban = (span, fields) =>
    ask("ban", `${name} is banned.`, fields, { title: `Ban ${name} ${span}?`, hint: "They are removed and cannot come back.", button: "Ban" });
  const kick = () =>
    ask("kick", `${name} is removed.`, {}, { title: `Remove ${name}?`, hint: "They can come back when they like.", button: "Remove" });
  return [
    { label: "Mute for 10 min…", testID: "mute-10", act: () => mute("for 10 minutes", { seconds: tenMinutes }) },
    { label: "Mute for good…", testID: "mute", act: () => mute("for good", {}) },
    { label: "Unmute", testID: "unmute", act: () => lift("unmute", `${name} may write again.`) },
    null,
    { label: "Remove…", testID: "kick", danger: true, act: kick },
    { label: "Ban for 10 min…", testID: "ban-10", danger: true, act: () => ban("for 10 minutes", { seconds: tenMinutes }) },
    { label: "Ban for good…", testID: "ban", danger: true, act: () => ban("for good", {}) },
    { label: "Lift a ban", testID: "unban", act: () => lift("unban", `${name} may come back.`) },
  ];
}

/** slownesses are the items of a menu for a channel. */
export function slownesses(chat, toast, channel) {
  const item = (label, count, done) => ({
    label,
    testID: `slow-${count}`,
    act: () => tell(toast, channel, done, () => chat.slowMode(channel, count)),
  });
  return [
    item("Off", 0, "Slow mode is off."),
    ...pauses.map((count) => item(`One message in ${seconds(count)}`, count, `Slow mode: one message in ${seconds(count)}.`)),
  ];
}

async function tell(toast, channel, done, act) {
  try {
    await act();
    toast.tell(done);
  } catch (error) {
    toast.show(`Not done: ${refused(error, channel)}`);
  }
}
