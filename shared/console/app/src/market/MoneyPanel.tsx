// The account's money and health, and the ways in and out of the exchange.
import { useSignal } from "@preact/signals";
import { config, info } from "../api/exchange";
import { tell } from "../api/http";
import { Field } from "../ui/Field";
import { Amount } from "../ui/Amount";
import { group, percent } from "../lib/format";
import { fromUnits, toSteps } from "../lib/scales";
import { link } from "../lib/route";
import { account } from "../wallet/account";
import { deposit, forceWithdraw, mint, readBalance, withdraw } from "../wallet/vault";
import { Pending } from "../wallet/errors";
import { isOnTheWay } from "../wallet/journal";
import { clearNews } from "../wallet/settle";
import { findUnsettled } from "../wallet/transactions";
import { wallet } from "../wallet/wallet";
import { giveEther } from "../wallet/development";
import { OnTheWay } from "./OnTheWay";

/** Dollars that a development wallet begins with. */
const GIFT = 10_000n;
const DEVELOPMENT_CHAIN = 31337;
const MONEY = ["deposit", "force", "Withdraw"] as const;

export function MoneyPanel() {
  const own = account.value;
  const signer = wallet.value;
  const terms = info.value;
  const amount = useSignal("");
  const said = useSignal<{ text: string; isBad: boolean }>({ text: "", isBad: false });
  const isBusy = useSignal(false);
  const decimals = terms?.collateral.decimals ?? 6;
  const symbol = terms?.collateral.symbol ?? "";
  const step = decimals ? `0.${"1".padStart(decimals, "0")}` : "1";
  const canGive =
    terms?.chain_id === DEVELOPMENT_CHAIN && config.value.rpc_url !== "" && signer?.kind === "development";

  async function act(doing: string, work: () => Promise<string>): Promise<void> {
    isBusy.value = true;
    said.value = { text: doing, isBad: false };
    try {
      said.value = { text: await work(), isBad: false };
    } catch (error) {
      // What is pending is told below, until it is known what became of it.
      said.value = error instanceof Pending ? { text: "", isBad: false } : { text: tell(error), isBad: true };
    } finally {
      isBusy.value = false;
    }
  }

  const tellAmount = (units: bigint) => `${group(fromUnits(units, decimals))} ${symbol}`;
  const tellMoney = (what: string, units: bigint) => `${what} of ${tellAmount(units)}`;
  const units = (): bigint => {
    const found = toSteps(amount.value, step);
    if (!found || found < 0n) throw new Error(`type an amount of ${symbol}`);
    return found;
  };
  const begin = () =>
    act("Asking the development chain for ether and test dollars, and depositing them…", async () => {
      if (!signer) return "";
      const gift = GIFT * 10n ** BigInt(decimals);
      await giveEther(signer.address);
      if ((await readBalance(signer.address)) < gift) await mint(gift);
      await deposit(gift, tellMoney("the deposit", gift));
      return "";
    });

  return (
    <section class="panel money" aria-label="Money">
      <header class="panel-head">
        <h2>Money</h2>
        {own && <a href={link("account", own.account)}>Account {own.account}</a>}
      </header>
      {own ? (
        <dl class="facts">
          <Row name="Equity" units={own.equity} />
          <Row name="Free" units={own.free} />
          <Row name="Collateral" units={own.collateral} />
          <Row name="Initial margin" units={own.requirement} />
          <Row name="Maintenance" units={own.maintenance} />
          <Row name="May leave now" units={own.exit.now} />
          <div>
            <dt>Used of equity</dt>
            <dd class="num">
              {BigInt(own.equity) > 0n
                ? percent(Number((BigInt(own.requirement) * 1_000_000n) / BigInt(own.equity)), 1)
                : "–"}
            </dd>
          </div>
        </dl>
      ) : (
        <p class="nothing">
          {signer ? "No deposit yet: an account begins with its first one." : "Connect a wallet to see your account."}
        </p>
      )}
      {signer && (
        <form class="money-form" onSubmit={(event) => event.preventDefault()}>
          {canGive && !own && (
            <button
              type="button"
              class="primary"
              disabled={isBusy.value || isOnTheWay("deposit")}
              onClick={() => void begin()}
            >
              Begin with {GIFT.toLocaleString("en")} test dollars
            </button>
          )}
          <Field name="amount" label="Amount" value={amount} unit={symbol} />
          <div class="pair">
            <button
              type="button"
              disabled={isBusy.value || findUnsettled("deposit") !== undefined}
              onClick={() =>
                void act("Waiting for two L1 transactions: an allowance and the deposit…", async () => {
                  const wanted = units();
                  const held = await readBalance(signer.address);
                  if (held < wanted)
                    throw new Error(`the wallet holds ${tellAmount(held)} on L1, which is less than that`);
                  clearNews("deposit");
                  await deposit(wanted, tellMoney("the deposit", wanted));
                  return "";
                })
              }
            >
              Deposit
            </button>
            <button
              type="button"
              disabled={isBusy.value || !own}
              onClick={() =>
                void act("Asking the exchange…", async () => {
                  const wanted = units();
                  clearNews("Withdraw");
                  await withdraw(wanted, tellMoney("the withdrawal", wanted));
                  return "Withdrawn. L1 pays once the batch is confirmed: see the account's page.";
                })
              }
            >
              Withdraw
            </button>
          </div>
          <button
            type="button"
            class="quiet-button"
            disabled={isBusy.value || !own || findUnsettled("force") !== undefined}
            title="A transaction on L1 that the operator can neither refuse nor leave out for long"
            onClick={() =>
              void act("Waiting for an L1 transaction…", async () => {
                const wanted = units();
                clearNews("force");
                await forceWithdraw(wanted, tellMoney("the forced withdrawal", wanted));
                return "The exchange has to take it, whatever its operator does; then see the account's page.";
              })
            }
          >
            Force the withdrawal through L1
          </button>
          <p class={said.value.isBad ? "said bad" : "said"} role="status">
            {said.value.text || "\u00a0"}
          </p>
          <OnTheWay kinds={MONEY} />
        </form>
      )}
    </section>
  );

  function Row({ name, units: value }: { name: string; units: string }) {
    return (
      <div>
        <dt>{name}</dt>
        <dd class="num">
          <Amount units={value} decimals={decimals} /> <span class="unit">{symbol}</span>
        </dd>
      </div>
    );
  }
}
