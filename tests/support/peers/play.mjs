// Plays a flow of events (JSON on standard input) in an order book of npm's; prints what it traded, and nanoseconds of processor time.

import { OrderBook } from "nodejs-order-book";

const REST = 0;
const CANCEL = 2;

/** Plays events; returns lots traded. */
function play(book, events) {
  let lots = 0;
  for (const [kind, number, isBuy, price, size] of events) {
    const id = String(number);
    if (kind === CANCEL) {
      book.cancel(id);
      continue;
    }
    const timeInForce = kind === REST ? "GTC" : "IOC";
    const result = book.limit({ id, side: isBuy ? "buy" : "sell", size, price, timeInForce });
    for (const order of result.done) if (order.id !== id) lots += order.size;
    lots += result.partial && result.partial.id !== id ? result.partialQuantityProcessed : 0;
  }
  return lots;
}

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { before, events, rounds } = JSON.parse(text);
const times = [];
let lots = 0;
for (let round = 0; round < rounds; round++) {
  const book = new OrderBook();
  play(book, before);
  const begin = process.cpuUsage();
  lots = play(book, events);
  const used = process.cpuUsage(begin);
  times.push((used.user + used.system) * 1e3);
}
console.log(JSON.stringify({ lots, times }));
