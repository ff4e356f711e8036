"""Traders without an operator: they force records through L1, and are paid by the vault, from what L1 alone holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from setoff.deploy.devnet.devnet import Devnet
from setoff.deploy.simulation.demo.traders import Trader
from setoff.shared.errors import ACCEPTED, OUTCOMES
from setoff.shared.l1.connection import L1
from setoff.shared.sdk.forced_inclusion import Forced, ForcedInclusion, find_withdrawals
from setoff.shared.sdk.replay import InclusionResult, Replay
from setoff.shared.sdk.signer import KeySigner
from setoff.shared.sdk.vault import Vault

FIRST: Final = 1_234_567
"""Token units that the first of them takes out at once."""


class Withdrawals:
    """What all of them force and are paid; `replay` is what they know of the exchange, run from L1."""

    def __init__(self, devnet: Devnet, replay: Replay, traders: Sequence[Trader]) -> None:
        self.replay = replay
        self._devnet = devnet
        self._traders = traders
        self._sent: list[Forced] = []
        self.owed: dict[int, int] = {}
        """Account to what it asked for in the end, token units."""
        self.received: dict[int, int] = {}
        """Account to what the vault has paid it since, token units."""

    def force_first(self) -> None:
        """One of them does not wait, and takes out a little."""
        inclusion = self._inclusion(self._traders[0])
        self._sent.append(inclusion.send(inclusion.withdraw(FIRST)))

    def force_unstaking(self) -> None:
        """Whoever has a part of the backstop gives it back."""
        for trader in self._traders:
            inclusion = self._inclusion(trader)
            if inclusion.shares():
                self._sent.append(inclusion.send(inclusion.backstop_withdraw()))

    def force_everything(self) -> None:
        """Everybody takes out everything."""
        for trader in self._traders:
            inclusion = self._inclusion(trader)
            amount = inclusion.leaf(trader.account).collateral
            if amount:
                self.owed[trader.account] = amount
                self._sent.append(inclusion.send(inclusion.withdraw(amount)))

    def results(self) -> list[InclusionResult | None]:
        """What became of everything they forced, in order; None of what no batch has consumed yet."""
        self.replay.advance()
        return [self.replay.result(forced.index) for forced in self._sent]

    def describe(self) -> str:
        """For people: what was paid, and why something was not."""
        refused = [
            OUTCOMES[result.outcome] for result in self.results() if result is not None and result.outcome != ACCEPTED
        ]
        paid = ", ".join(f"{amount} to account {account}" for account, amount in self.received.items()) or "nothing"
        return f"{paid} paid" + (f"; refused: {', '.join(refused)}" if refused else "")

    @property
    def accepted(self) -> bool:
        """Whether every record that they forced was."""
        return all(result is not None and result.outcome == ACCEPTED for result in self.results())

    def is_confirmed(self) -> bool:
        """Whether all that they forced is posted, and the epochs with it confirmed."""
        results, count = self.results(), self._devnet.deployment.epoch_batches
        vault = Vault(self._devnet.l1, self._devnet.deployment)
        return all(result is not None and vault.is_confirmed(result.batch // count) for result in results)

    def collect(self) -> None:
        """Everybody has the vault pay what was granted and is not paid."""
        for trader in self._traders:
            inclusion = self._inclusion(trader)
            self.replay.advance()
            for index in find_withdrawals(self.replay, trader.account):
                vault = Vault(L1(self._devnet.chain.url, trader.key), self._devnet.deployment)
                if not vault.is_paid(index):
                    before = vault.balance()
                    inclusion.pay(index)
                    got = vault.balance() - before
                    self.received[trader.account] = self.received.get(trader.account, 0) + got

    def _inclusion(self, trader: Trader) -> ForcedInclusion:
        """As its own sender: no signature but that of the transaction."""
        l1 = L1(self._devnet.chain.url, trader.key)
        inclusion = ForcedInclusion(l1, self._devnet.deployment, KeySigner(trader.key), as_sender=True)
        inclusion.replay = self.replay
        return inclusion
