// Which wallet signs, and how to choose one.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { config, info } from "../api/exchange";
import { tell } from "../api/http";
import { findKey, forgetKey, openDevelopmentWallet } from "../wallet/development";
import { openInjectedWallet, wallets } from "../wallet/injected";
import { Field } from "./Field";
import { wallet } from "../wallet/wallet";
import { capital, shorten } from "../lib/format";
import type { Hex } from "viem";

const DEVELOPMENT_CHAIN = 31337;

export function WalletButton() {
  const dialog = useRef<HTMLDialogElement>(null);
  const error = useSignal("");
  const key = useSignal("");
  const signer = wallet.value;
  const isDevelopment = info.value?.chain_id === DEVELOPMENT_CHAIN && config.value.rpc_url !== "";

  const open = (work: () => Promise<typeof wallet.value> | typeof wallet.value) => async () => {
    error.value = "";
    try {
      wallet.value = await work();
      key.value = "";
      dialog.current?.close();
    } catch (problem) {
      error.value = tell(problem);
    }
  };

  return (
    <>
      <button type="button" class="wallet-button" onClick={() => dialog.current?.showModal()}>
        {signer ? <span class="mono">{shorten(signer.address, 4)}</span> : "Connect"}
      </button>
      <dialog ref={dialog} aria-labelledby="wallet-title">
        <div class="panel-head">
          <h2 id="wallet-title">Wallet</h2>
          <button type="button" class="quiet-button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </div>
        {signer ? (
          <div class="stack">
            <p>
              {capital(signer.name)}:
              <br />
              <span class="mono break">{signer.address}</span>
            </p>
            <button
              type="button"
              onClick={() => {
                wallet.value = undefined;
              }}
            >
              Disconnect
            </button>
            {signer.kind === "development" && (
              <button
                type="button"
                onClick={() => {
                  forgetKey();
                  wallet.value = undefined;
                }}
              >
                Forget this key for good
              </button>
            )}
          </div>
        ) : (
          <div class="stack">
            {wallets.value.map((each) => (
              <button
                key={each.id}
                type="button"
                onClick={() => void open(() => openInjectedWallet(each, info.value?.chain_id ?? 1))()}
              >
                {each.name}
              </button>
            ))}
            {!wallets.value.length && (
              <p class="quiet">
                This browser has no wallet: any extension that speaks EIP-1193 will do, and shows here by itself.
              </p>
            )}
            {isDevelopment && (
              <>
                <button type="button" class="primary" onClick={() => void open(() => openDevelopmentWallet())()}>
                  {findKey() ? "Development key of this browser" : "New development key"}
                </button>
                <form class="stack bare" onSubmit={(event) => event.preventDefault()}>
                  <Field name="development-key" label="Key" value={key} placeholder="0x…" isSecret />
                  <button
                    type="button"
                    disabled={!/^0x[0-9a-f]{64}$/i.test(key.value.trim())}
                    onClick={() => void open(() => openDevelopmentWallet(key.value.trim() as Hex))()}
                  >
                    Use this development key
                  </button>
                </form>
                <p class="quiet">
                  This is a development chain. Such a key is kept as plain text in this browser: never use one that
                  holds anything elsewhere.
                </p>
              </>
            )}
            <p class="said bad" role="status">
              {error.value || "\u00a0"}
            </p>
          </div>
        )}
      </dialog>
    </>
  );
}
