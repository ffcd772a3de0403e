// The types of chatstack.js. docs/protocol.md describes the frames.

/** A stored message, as a channel tells it. */
export interface ChannelMessage {
  event: "channel_message";
  channelId: string;
  /** Absent, with content, in a message that no answer has room for. */
  name: string;
  /** HTML that is safe inside an element; "" once the message is deleted. */
  content: string;
  messageId: string;
  /** The message's number in its channel: 1, 2, 3 … */
  seq: number;
  /** RFC 3339, in UTC. */
  at: string;
  /** The sender's connection; a message of a back-end service has none. */
  senderId?: string;
  /** The author, where users have an identity. */
  user?: string;
  editedAt?: string;
  deleted?: boolean;
  truncated?: boolean;
  /** It comes after its turn: it had been given up, or was sent before the subscription. */
  late?: boolean;
}

/** A stored message between two users: to all connections of both. */
export interface DirectMessage extends Omit<ChannelMessage, "event"> {
  event: "direct_message";
  /** The sender. */
  user: string;
  to: string;
  /** The other one of the two, as told by this client. */
  peer: string;
}

/** A change of the message with the number targetSeq; seq is the change's own. */
export interface MessageChange {
  event: "message_edited" | "message_deleted";
  channelId: string;
  seq: number;
  targetSeq: number;
  messageId: string;
  name?: string;
  content?: string;
  at: string;
  senderId?: string;
  user?: string;
  /** In a direct conversation, the other user. */
  peer?: string;
  late?: boolean;
}

export interface Subscriber {
  event: "subscriber_sub" | "subscriber_unsub";
  channelId: string;
  subscriberId: string;
  user?: string;
  name?: string;
  /** The members of the channel after it. */
  count?: number;
  /** Of subscriber_unsub. More may come. */
  reason?: "left" | "disconnected" | "expired" | "kicked" | "banned" | "forbidden" | (string & {});
  at?: string;
}

/** A user with all connections, or one connection of nobody known. */
export interface Member {
  user: string;
  name: string;
  connections: string[];
  since: string;
}

export interface Members {
  event: "members";
  id: string;
  channelId: string;
  /** Of the whole channel. */
  count?: number;
  members: Member[];
  /** "" once there are no more. */
  cursor: string;
}

/** The direct conversations, the newest not necessarily first. */
export interface Directs {
  event: "directs";
  id: string;
  directs: Array<{ user: string; channelId: string; seq: number; at: string }>;
  cursor: string;
}

/** What was decided about the user of this client. */
export interface Moderation {
  event: "kicked" | "banned" | "unbanned" | "muted" | "unmuted";
  /** Absent: everywhere. */
  channelId?: string;
  /** RFC 3339; absent: for good. */
  until?: string;
  reason?: string;
  at: string;
}

/** Each member may send one message in so many seconds; 0: as before. */
export interface SlowMode {
  event: "slow_mode";
  channelId: string;
  seconds: number;
  at: string;
}

export interface Typing {
  event: "typing";
  channelId: string;
  name?: string;
  user?: string;
  senderId: string;
  at: string;
}

/** The message is stored, under the number seq. An answer to typing has neither. */
export interface Ack {
  event: "ack";
  id: string;
  channelId: string;
  messageId: string;
  seq: number;
  at: string;
}

/** What was asked for is stored, and takes effect. */
export interface Done {
  event: "ack";
  id: string;
  channelId?: string;
  at: string;
}

export interface Subscribed {
  event: "subscribed";
  id: string;
  channelId: string;
  /** The channel's last number. */
  seq: number;
  /** What was missed; the client tells it as events, you need not. */
  missed: Array<ChannelMessage | MessageChange>;
  more: boolean;
  from?: number;
}

export interface History {
  event: "history";
  id: string;
  channelId: string;
  /** The newest first; the oldest first where `after` was given. */
  messages: Array<ChannelMessage | DirectMessage | MessageChange>;
  more: boolean;
}

/** "closed": not connected and not trying, before connect and after close.
 *  "connecting": opening, and rejoining the channels.
 *  "open": ready.
 *  "waiting": the connection was lost; the next attempt is at retryAt. */
export type State = "closed" | "connecting" | "open" | "waiting";

/** Why the state is what it is, where more is known than that.
 *  "refused", while waiting: several attempts in a row were not let in. A browser does
 *  not tell whether nobody was there or the token, the origin or the user is refused.
 *  "kicked", while waiting: a moderator ended the connection.
 *  "token_expired": while waiting, a fresh token is asked for; closed, there is none.
 *  "banned": closed, and connecting again is refused until the ban is over. */
export type Reason = "" | "refused" | "kicked" | "token_expired" | "banned";

/** A channel by its name, or the direct conversation with a user. */
export type Conversation = string | { user: string };

/** Of the client: "timeout" (no answer in time), "disconnected" (no connection,
 *  or it ended before the answer), "gateway" (API Gateway answered in the chat's
 *  place), "endpoint" (not a WebSocket URL), "frame" (the server sent what is no
 *  JSON object, or a message without its number), "frame_too_large" (over 32 KB). Else the server's own. */
export type ErrorCode =
  | "timeout" | "disconnected" | "gateway" | "endpoint" | "frame"
  | "invalid_json" | "not_an_object" | "duplicate_field" | "missing_action" | "unknown_action"
  | "missing_field" | "invalid_type" | "invalid_id" | "id_reused" | "invalid_range"
  | "invalid_channel" | "invalid_name" | "content_empty" | "content_too_long" | "frame_too_large"
  | "invalid_user" | "identity_required" | "token_expired" | "forbidden" | "banned" | "muted" | "slow_mode" | "not_moderator"
  | "message_not_found" | "not_author" | "rate_limited" | "too_many_subscriptions" | "connection_closed" | "internal"
  | (string & {});

/** Act on its code, never on its message, which is a sentence for a person. */
export class ChatError extends Error {
  constructor(code: ErrorCode, message: string, retryAfter?: number);
  readonly code: ErrorCode;
  /** Of "rate_limited" and "slow_mode": the milliseconds after which it may be tried again. */
  readonly retryAfter?: number;
}

/** The time that a client lives in, for tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  setTimeout(callback: () => void, delay: number): unknown;
  clearTimeout(timer: unknown): void;
}

export interface Options {
  /** A bearer token, sent as the subprotocol `bearer.<token>`, or a function that
   *  gives one; a function is asked again before every attempt, and in time before the
   *  token expires. Default: none. */
  token?: string | (() => string | Promise<string>);
  /** The channels to be in, where others are left. Default: those that the server
   *  puts every connection in. */
  channels?: Iterable<string>;
  /** Milliseconds to wait for an answer. Default: 10 s. */
  timeout?: number;
  /** Milliseconds to wait for the connection. Default: 30 s, as API Gateway gives
   *  $connect 29 s. */
  opening?: number;
  /** Milliseconds without a frame after which to ping. Default: 5 min, as API
   *  Gateway closes a connection that is idle for 10 min. */
  heartbeat?: number;
  /** Milliseconds, less up to a tenth, after which a connection is replaced by
   *  another. Default: 110 min, as API Gateway ends each after 2 h. */
  lifetime?: number;
  /** Milliseconds for which a message is sent again while it has no answer, across
   *  connections. Default: 2 min; at most 10 min, for which the server knows an id. */
  patience?: number;
  /** Milliseconds to wait before attempt 0, 1, 2 … Default: the function backoff. */
  backoff?: (attempt: number) => number;
  /** The class to connect with. Default: the platform's. */
  WebSocket?: new (url: string, protocols?: string[]) => unknown;
  /** Default: the platform's. */
  clock?: Clock;
  /** Numbers from 0 up to 1. Default: Math.random. */
  random?: () => number;
}

/** What a Chat dispatches: CustomEvents with these details. */
export interface ChatEvents {
  /** The events of a channel, each once and in the order of seq. */
  channel_message: ChannelMessage;
  message_edited: MessageChange;
  message_deleted: MessageChange;
  subscriber_sub: Subscriber;
  subscriber_unsub: Subscriber;
  typing: Typing;
  /** A message of or to this user, in the order of its conversation. Edits of it are
   *  message_edited and message_deleted, with peer. */
  direct_message: DirectMessage;
  kicked: Moderation;
  banned: Moderation;
  unbanned: Moderation;
  muted: Moderation;
  unmuted: Moderation;
  slow_mode: SlowMode;
  /** The connection ends. The client connects again if its token is a function. */
  token_expired: { event: "token_expired"; at: string };
  /** The state of the connection has changed. */
  state: { state: State; reason: Reason; retryAt: number };
  /** Another connection is in use. It may come while the state is "open". */
  connection: { connectionId: string; user: string };
  /** The set of joined channels has changed. */
  channels: { channels: string[] };
  /** A channel is complete again; missed counts the messages of others since
   *  `after`, which have been told. */
  resumed: { channelId: string; peer?: string; after: number; seq: number; missed: number };
  /** The numbers from `from` to `to` were looked for and did not come. They may
   *  never have had a message. One that comes after all is marked late. */
  gap: { channelId: string; peer?: string; from: number; to: number };
  /** The channel has begun anew: what is known of it is of another. */
  reset: { channelId: string; peer?: string };
  /** An ack that came after its request had timed out. */
  ack: Ack;
  /** A mistake that belongs to no request. */
  error: { event: "error"; code: ErrorCode; message: string };
}

/** One connection that comes back by itself. Listen before connect. */
export class Chat extends EventTarget {
  /** endpoint is the WebSocket URL, or a function that returns it or a promise of
   *  it; a function is asked again before every attempt. */
  constructor(endpoint: string | (() => string | Promise<string>), options?: Options);
  readonly state: State;
  readonly reason: Reason;
  /** When the next attempt is made, in milliseconds since the epoch, while waiting. */
  readonly retryAt: number;
  /** The id of the connection in use, or "". */
  readonly connectionID: string;
  /** The joined channels, in the order in which they were joined. */
  readonly channels: string[];
  /** Who this is, once the server has told, and after that until it tells another;
   *  user is "" where users are anonymous. */
  readonly user: string;
  readonly name: string;
  /** The channels that the user moderates, by name; * stands for any characters. */
  readonly moderates: string[];
  /** When the token expires, in milliseconds since the epoch; 0: no sooner than the
   *  connection. */
  readonly expiresAt: number;
  /** Reports whether the user moderates a channel, or everything if none is given. */
  isModerator(channelID?: string): boolean;
  /** Reports whether id is, or was, a connection of this client, or user its user. */
  isOwn(id: string | undefined, user?: string): boolean;
  /** Connects, at once even when waiting. Does nothing if there is a connection. */
  connect(): void;
  /** Ends the connection, and with it every request, until connect is called. */
  close(): void;
  /** Finds out whether the connection still lives, or connects when waiting: for
   *  when a machine wakes or a network returns. */
  check(): void;
  /** Sends a message and resolves to its ack: the message is stored. Without an
   *  answer it is sent again, until patience is over; without a user, on another
   *  connection only if it is not found in the channel. To repeat a send that failed,
   *  give the id of the first. The name is not needed where users have one. */
  send(channelID: string, content: string, name?: string, options?: { id?: string }): Promise<Ack>;
  /** Sends a message to a user, as send does to a channel. */
  sendDirect(user: string, content: string, options?: { id?: string }): Promise<Ack>;
  /** Changes a message of this user, or that this very connection sent. */
  edit(where: Conversation, seq: number, content: string): Promise<Ack>;
  /** Deletes a message of this user, or that this very connection sent, or in a
   *  channel that the user moderates. */
  delete(where: Conversation, seq: number): Promise<Ack>;
  /** Joins a channel, which the first subscription creates. */
  join(channelID: string): Promise<Subscribed>;
  leave(channelID: string): Promise<{ event: "unsubscribed"; id: string; channelId: string }>;
  /** Reads stored messages: those before or after a number, or the latest. limit is
   *  1 to 100, 50 by default. They are not told as events. */
  history(where: Conversation, range?: { before?: number; after?: number; limit?: number }): Promise<History>;
  /** Lists the direct conversations, a page at a time. Of those that were listed, the
   *  client also tells what was missed while it was away. */
  listDirects(options?: { cursor?: string }): Promise<Directs>;
  /** Lists who is in a channel, a page at a time. */
  members(channelID: string, options?: { cursor?: string }): Promise<Members>;
  /** Gives everyone in a channel, asking for page after page. */
  everyMember(channelID: string): AsyncGenerator<Member>;
  /** Ends a user's part in a channel, or without one every connection. Like what
   *  follows, only for a moderator of the channel, or of "*" where none is given. */
  kick(user: string, options?: { channelID?: string; reason?: string }): Promise<Done>;
  /** Keeps a user out, for good without seconds. */
  ban(user: string, options?: { channelID?: string; seconds?: number; reason?: string }): Promise<Done>;
  unban(user: string, options?: { channelID?: string }): Promise<Done>;
  /** Lets a user read and not write, for good without seconds. */
  mute(user: string, options?: { channelID?: string; seconds?: number; reason?: string }): Promise<Done>;
  unmute(user: string, options?: { channelID?: string }): Promise<Done>;
  /** Lets each member send one message in so many seconds; 0: as before. */
  slowMode(channelID: string, seconds: number): Promise<Done>;
  /** Tells the others in a channel that somebody writes. */
  typing(channelID: string, name?: string): Promise<Ack>;
  whoami(): Promise<{
    event: "you"; id: string; connectionId: string; user: string; name: string;
    moderates?: string[]; expiresAt?: string; channels: string[]; more: boolean;
  }>;
  ping(): Promise<{ event: "pong"; id: string; at: string }>;
  /** Sends a frame once and resolves to the server's answer, or rejects with a
   *  ChatError. For the actions that have no method here, such as those of routes of
   *  one's own. */
  request(action: string, fields?: Record<string, unknown>, options?: { id?: string }): Promise<any>;
  addEventListener<K extends keyof ChatEvents>(
    type: K,
    listener: (event: CustomEvent<ChatEvents[K]>) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}

/** The pause before attempt 0, 1, 2 …: anything up to base doubled with each
 *  attempt, at most limit. Default: 1 s and 30 s. */
export function backoff(attempt: number, options?: { base?: number; limit?: number; random?: () => number }): number;

/** 96 random bits as text, for the id of a message. */
export function newID(): string;
