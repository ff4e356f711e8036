// The WebSocket /v1/stream: subscriptions that outlive the connection, and go on behind their cursors.
import { signal } from "@preact/signals";

export interface Message {
  channel: string;
  topic: Record<string, unknown>;
  cursor: number | null;
  data: unknown;
}

interface Subscription {
  readonly id: number;
  readonly wanted: Record<string, unknown>;
  readonly onData: (data: unknown) => void;
  cursor: number | null;
}

/** "open", or since when the exchange has not been heard of. */
export const connection = signal<{ state: "opening" | "open" | "lost"; since: number }>({
  state: "opening",
  since: Date.now(),
});

const HEARTBEAT_MS = 5_000;
const LOST_MS = 3 * HEARTBEAT_MS;
const PAUSES_MS = [250, 500, 1_000, 2_000];

const subscriptions = new Map<number, Subscription>();
let socket: WebSocket | undefined;
let heard = 0;
let failures = 0;
let nextId = 1;

/** Listen to a channel; what is returned ends that. */
export function subscribe<T>(
  channel: string,
  names: Record<string, unknown>,
  onData: (data: T) => void,
  after: number | null = null,
): () => void {
  const subscription: Subscription = {
    id: nextId++,
    wanted: { channel, ...names },
    onData: onData as (data: unknown) => void,
    cursor: after,
  };
  subscriptions.set(subscription.id, subscription);
  if (!socket) open();
  else if (socket.readyState === WebSocket.OPEN) send(subscription);
  return () => {
    subscriptions.delete(subscription.id);
    if (socket?.readyState === WebSocket.OPEN)
      socket.send(JSON.stringify({ op: "unsubscribe", ...subscription.wanted }));
  };
}

/** Begin a subscription anew: the book, after a gap. */
export function renew(channel: string, names: Record<string, unknown>): void {
  for (const subscription of subscriptions.values()) {
    if (subscription.wanted["channel"] !== channel || !isSame(subscription.wanted, names)) continue;
    if (socket?.readyState !== WebSocket.OPEN) continue;
    socket.send(JSON.stringify({ op: "unsubscribe", ...subscription.wanted }));
    send(subscription);
  }
}

function open(): void {
  const url = new URL("/v1/stream", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  socket = new WebSocket(url);
  socket.onopen = () => {
    failures = 0;
    heard = Date.now();
    connection.value = { state: "open", since: heard };
    for (const subscription of subscriptions.values()) send(subscription);
  };
  socket.onmessage = (event: MessageEvent<string>) => {
    heard = Date.now();
    take(JSON.parse(event.data) as Message);
  };
  socket.onclose = () => {
    if (connection.value.state !== "lost") connection.value = { state: "lost", since: heard || Date.now() };
    const pause = PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)] ?? 1_000;
    setTimeout(open, pause);
  };
}

function send(subscription: Subscription): void {
  const after = subscription.cursor === null ? {} : { after: subscription.cursor };
  socket?.send(JSON.stringify({ op: "subscribe", ...subscription.wanted, ...after, id: subscription.id }));
}

function take(message: Message): void {
  if (message.channel === "heartbeat" || message.channel === "subscribed" || message.channel === "unsubscribed") return;
  if (message.channel === "refused") {
    console.warn("the exchange refused a subscription", message.data);
    return;
  }
  for (const subscription of subscriptions.values()) {
    if (subscription.wanted["channel"] !== message.channel || !isSame(message.topic, subscription.wanted)) continue;
    if (message.cursor !== null) subscription.cursor = message.cursor;
    subscription.onData(message.data);
  }
}

/** Whether every name of a topic is what was wanted. */
function isSame(topic: Record<string, unknown>, wanted: Record<string, unknown>): boolean {
  return Object.entries(topic).every(([name, value]) => name === "channel" || wanted[name] === value);
}

setInterval(() => {
  if (socket?.readyState === WebSocket.OPEN && Date.now() - heard > LOST_MS) socket.close();
}, HEARTBEAT_MS);
