// Says which L1 node is asked, and lets one choose where there are two.
import { operatorsNode, walletsNode } from "../wallet/rpc";
import { prefersOperators, verifiersNode } from "./node";

export function NodeChoice({ disabled }: { disabled: boolean }) {
  const [wallets, operators] = [walletsNode.value, operatorsNode.value];
  if (wallets && operators)
    return (
      <label class="field inline">
        <span>L1 node</span>
        <select
          disabled={disabled}
          value={prefersOperators.value ? "operator" : "wallet"}
          onChange={(event) => (prefersOperators.value = event.currentTarget.value === "operator")}
        >
          <option value="wallet">{wallets.name}</option>
          <option value="operator">{operators.name}, the operator's</option>
        </select>
      </label>
    );
  const node = verifiersNode.value;
  if (!node)
    return (
      <p class="quiet">
        This page was told of no L1 node that it may ask: connect a wallet, which brings one of your own choice.
      </p>
    );
  return (
    <p class="quiet">
      L1 node: <b>{node.name}</b>
      {node === operators
        ? ", which the operator names: about what L1 holds you believe it. Connect a wallet to ask a node of your own."
        : ""}
    </p>
  );
}
