// Answers that are lost, and pages that are loaded anew while something is on its way: nothing is sent twice, and nobody
// is told to try again what may still take effect.
import { checkAccess, connect, scenario, words } from "./browser.mjs";
import { bringWallet } from "./travelling_wallet.mjs";

const [url, key, node] = words;
const RECORDS = "**/v1/records";

await scenario(async (page) => {
  const wallet = await bringWallet(page, key, node);
  const told = {};
  const money = page.getByRole("region", { name: "Money" });
  const ticket = page.getByRole("region", { name: "Order ticket" });
  const open = async () => {
    await page.goto("about:blank");
    await page.goto(`${url}/console/`);
    await page.getByText("78,010").first().waitFor();
    await connect(page, key);
    await money.getByRole("link", { name: /Account/ }).waitFor();
  };
  const buy = async (price) => {
    await ticket.getByLabel("Price").fill(price);
    await ticket.getByLabel("Size").fill("0.001");
    await ticket.getByRole("button", { name: "Buy BTC" }).click();
  };
  /** The exchange gets what is posted to it, or not; the page gets no answer. */
  const lose = async (isDelivered) => {
    const bodies = [];
    await page.route(RECORDS, async (route) => {
      bodies.push(route.request().postData());
      if (isDelivered) await route.fetch().catch(() => undefined);
      await route.abort().catch(() => undefined);
    });
    return bodies;
  };
  const passAgain = () => page.unroute(RECORDS);

  // One answer is lost: the same bytes are answered with what became of them.
  await open();
  let bodies = await lose(true);
  await buy("77001");
  while (!bodies.length) await page.waitForTimeout(20);
  await passAgain();
  await ticket.getByText("rest in the book").waitFor();

  // The page is loaded anew before there is any answer.
  bodies = await lose(true);
  await buy("77002");
  while (!bodies.length) await page.waitForTimeout(20);
  await passAgain();
  await open();
  await ticket.getByText(/at 77,002 was taken as record \d+: accepted/).waitFor();

  // It has not arrived. What is sent next takes its place; then it does arrive.
  bodies = await lose(false);
  await buy("77003");
  await ticket.getByText("(pending)").waitFor();
  await ticket.getByText("may have been taken").waitFor();
  told.bodies = new Set(bodies).size;
  await checkAccess(page, "an order that nobody has answered");
  await passAgain();
  await buy("77004");
  await ticket.getByText("rest in the book").waitFor();
  const late = await page.request.post(`${url}/v1/records`, { data: JSON.parse(bodies[0]) });
  told.late = (await late.json()).reason;

  // A withdrawal that was taken and never answered, and the same forced through L1 in its place: one is paid.
  bodies = await lose(true);
  await page.route("**/v1/lookup/**", (route) => route.abort().catch(() => undefined)); // as if the operator were gone
  await money.getByLabel("Amount").fill("10");
  await money.getByRole("button", { name: "Withdraw", exact: true }).click();
  await money.getByText("(pending)").waitFor();
  await money.getByRole("button", { name: "Force the withdrawal through L1" }).click();
  await money.getByText(/has run the forced withdrawal/i).waitFor({ timeout: 60_000 });
  await page.unroute("**/v1/lookup/**");
  await passAgain();
  await money.getByText(/withdrawal of 10.00 tUSD was taken as record/i).waitFor();

  // What L1 has is no obstacle to more, though the exchange does not take it: its operator may be gone for days.
  const status = "**/v1/status";
  await page.route(status, async (route) => {
    const response = await route.fetch();
    const json = { ...(await response.json()), messages: 0 };
    await route.fulfill({ response, json }).catch(() => undefined); // the last of them is under way while this ends
  });
  for (const amount of ["5", "6"]) {
    await money.getByLabel("Amount").fill(amount);
    await money.getByRole("button", { name: "Force the withdrawal through L1" }).click();
    await money.getByText(new RegExp(`forced withdrawal of ${amount}.00 tUSD is in block`, "i")).waitFor();
  }
  await page.unroute(status);
  await money.getByText(/has run the forced withdrawal of 6.00/i).waitFor({ timeout: 60_000 });

  // A deposit whose transaction is held back, while the page is loaded anew: it can be seen, and not be sent again.
  const held = [];
  const isNode = (asked) => asked.href.startsWith(node);
  await page.route(isNode, async (route) => {
    const question = route.request().postDataJSON();
    if (question?.method !== "eth_sendRawTransaction") return route.fallback();
    held.push(question);
    await route.abort().catch(() => undefined);
  });
  await money.getByLabel("Amount").fill("20");
  await money.getByRole("button", { name: "Deposit" }).click();
  await money.getByText(/deposit of 20.00 tUSD was (sent|handed)/i).waitFor();
  told.whileSent = await money.getByRole("button", { name: "Deposit" }).isDisabled();
  await open();
  await money.getByText(/deposit of 20.00 tUSD was (sent|handed)/i).waitFor();
  told.afterReload = await money.getByRole("button", { name: "Deposit" }).isDisabled();
  await checkAccess(page, "a deposit on its way");
  await page.request.post(node, { data: held[0] });
  await money.getByText(/has taken the deposit of 20.00 tUSD/i).waitFor({ timeout: 60_000 });
  told.held = held.length;
  await page.unroute(isNode);

  // A wallet that sends and never answers: the deposit is found on L1.
  await page.goto("about:blank");
  await page.goto(`${url}/console/`);
  await page.getByRole("button", { name: "Connect" }).click();
  await page.getByRole("button", { name: "Travelling Wallet" }).click();
  await money.getByLabel("Amount").fill("30");
  wallet.isMute = true;
  await money.getByRole("button", { name: "Deposit" }).click();
  await money.getByText(/has taken the deposit of 30.00 tUSD/i).waitFor({ timeout: 60_000 });
  return told;
});
