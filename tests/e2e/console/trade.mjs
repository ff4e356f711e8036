// An order is placed and seen filled, another rests and is cancelled; what would be refused is said before it is sent.
import { checkAccess, connect, scenario, words } from "./browser.mjs";

const [url, key] = words;

await scenario(async (page) => {
  await page.goto(`${url}/console/`);
  await page.getByText("78,010").first().waitFor();
  await connect(page, key);
  await page.getByRole("tab", { name: "Positions" }).click();
  const ticket = page.getByRole("region", { name: "Order ticket" });
  await ticket.getByLabel("Price").fill("78010");
  await ticket.getByLabel("Size").fill("100");
  await ticket.getByText("insufficient_margin").waitFor();
  await ticket.getByLabel("Size").fill("0.01");
  const margin = await ticket.locator("dd").nth(1).innerText();
  await ticket.getByRole("button", { name: "Buy BTC" }).click();
  await ticket.getByText("0.0100 BTC traded").waitFor();
  const own = page.getByRole("region", { name: "Your account" });
  await own.getByText("+0.01").waitFor();
  const position = await own.locator("tbody tr").first().innerText();
  await ticket.getByLabel("Price").fill("77000");
  await ticket.getByRole("button", { name: "Buy BTC" }).click();
  await ticket.getByText("rest in the book").waitFor();
  await own.getByRole("tab", { name: "Orders" }).click();
  await own.getByRole("button", { name: /Cancel the order/ }).click();
  await own.getByText("No order stands.").waitFor();
  await own.getByRole("tab", { name: "Fills" }).click();
  await own.getByText("taker").waitFor();
  await checkAccess(page, "the market, light");
  await page.getByRole("button", { name: "Dark colours" }).click();
  await checkAccess(page, "the market, dark");
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.getByRole("link", { name: "Risk" }).click();
  const ladder = page.getByRole("region", { name: "Liquidation ladder" });
  await ladder.getByText(/2 positions.*as of \d\d:/).waitFor();
  const ranks = page.getByRole("region", { name: "Deleveraging rank" });
  await ranks.getByText("1 position").nth(1).waitFor(); // a long one, and a short one
  await checkAccess(page, "risk, with positions");
  return { margin, position, nearest: await ladder.locator("tbody tr").first().innerText(), asked };
});
