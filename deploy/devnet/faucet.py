"""A faucet for wallets on a development chain. It needs no more than a trader has installed."""

from __future__ import annotations

from typing import Final

from setoff.deploy.devnet.anvil import CHAIN_ID
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ConfigError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import TOKEN, Contract

FAUCET: Final = 10
"""The funded account that it sends from."""
WALLET: Final = 10**18
"""Wei for a wallet's gas."""


def check_is_devnet(deployment: Deployment, what: str) -> None:
    """Raises ConfigError("wrong_chain") unless it is on a development chain, whose keys everybody has; `what` is there
    and nowhere else."""
    if deployment.chain_id != CHAIN_ID:
        there = f"on a development chain ({CHAIN_ID}), and not on chain {deployment.chain_id}"
        raise ConfigError("wrong_chain", f"there is {what} {there}")


class Faucet:
    """Gives wallets what they need: ether for gas, and test dollars."""

    def __init__(self, l1: L1, deployment: Deployment) -> None:
        """`l1` has the key of a funded account."""
        self._l1 = l1
        self._deployment = deployment

    def give(self, owner: bytes, tokens: int, wei: int = WALLET) -> None:
        """Send `owner` (20 bytes) ether, and mint token units for it; called again, as much again, of test money.

        Raises ChainError as `L1.transact`.
        """
        if wei:
            self._l1.transact(owner, value=wei)
        if tokens:
            Contract(self._l1, TOKEN, self._deployment.token).transact("mint", owner, tokens)
