// Which L1 node the verifier asks: the wallet's where one is connected, since its owner chose that himself, or the one
// that the operator names, whose word is then believed about L1.
import { computed, signal } from "@preact/signals";
import type { Node } from "../l1/node";
import { operatorsNode, walletsNode } from "../wallet/rpc";

/** Whether the operator's was chosen though a wallet brings one. */
export const prefersOperators = signal(false);

export const verifiersNode = computed<Node | undefined>(() =>
  prefersOperators.value
    ? (operatorsNode.value ?? walletsNode.value)
    : (walletsNode.value ?? operatorsNode.value),
);
