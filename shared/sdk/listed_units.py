"""What L1 lists of markets, so that nobody signs another size than was meant on an exchange's word.

An order is signed in ticks and lots. What one lot is worth at one tick, the `unit`, is in the listing that L1's queue
holds, and never changes; what a lot is called is the deployment file's. So who has that file and an L1 node has all
that decimals are made of, and an exchange that says otherwise is found out before anything is signed.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from setoff.shared.codec import records
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.whole_file import replace_file
from setoff.shared.errors import ChainError, DataError

if TYPE_CHECKING:  # what reads L1 takes as long to import as all the rest
    from setoff.shared.l1.chain import ChainReader
    from setoff.shared.l1.connection import L1
    from setoff.shared.sdk.market_scales import MarketScales

Listed = dict[int, set[int]]
"""By market: the units of its listings."""


class ListedUnits:
    """The listings of one deployment, read from L1 where a market is new here, and kept in a file if one is named."""

    def __init__(self, l1: L1, deployment: Deployment, file: Path | None = None) -> None:
        self._l1 = l1
        self._deployment = deployment
        self._file = file
        self._lock = threading.Lock()
        self._listed: Listed = {}
        if file is not None and file.is_file():
            try:
                kept = json.loads(file.read_text()).items()
                self._listed = {int(market): {int(unit) for unit in units} for market, units in kept}
            except (ValueError, TypeError, AttributeError):
                self._listed = {}  # it is read again

    def check(self, scales: MarketScales) -> None:
        """Hold an exchange's markets against the listings, and its token against the contract.

        Raises DataError for a market that was never listed so, ChainError if L1 cannot be read.
        """
        with self._lock:
            if not is_listed(scales.units, self._listed):
                try:
                    self._check_token(scales)
                    self._listed = read_listed_units(self._open())
                except ChainError as error:
                    text = f"what a lot is worth cannot be held against L1, and nothing is signed: {error.detail}"
                    raise ChainError(error.reason, text) from None
                if self._file is not None:
                    self._file.parent.mkdir(parents=True, exist_ok=True)
                    replace_file(
                        self._file, json.dumps({market: sorted(units) for market, units in self._listed.items()})
                    )
            check_listed(scales.units, self._listed)

    def _open(self) -> ChainReader:
        from setoff.shared.l1.chain import ChainReader

        return ChainReader(self._l1, self._deployment)

    def _check_token(self, scales: MarketScales) -> None:
        from setoff.shared.l1.contracts import TOKEN, Contract
        from setoff.shared.l1.endpoint import Refused

        try:
            decimals = int(Contract(self._l1, TOKEN, self._deployment.token).view("decimals"))
        except Refused:
            return  # it does not say; the deployment file does
        if decimals != scales.tokens.places or scales.tokens.mantissa != 1:
            text = f"the collateral's contract on L1 has {decimals} decimals, the exchange says {scales.tokens.places}"
            raise DataError("data_mismatch", text)


def read_listed_units(reader: ChainReader) -> Listed:
    """All listings that L1's queue has. Raises ChainError."""
    listed: Listed = {}
    for message in reader.messages(reader.deployment.block, reader.proven.block().number):
        if message.body[0] == records.LIST_MARKET:
            body = records.decode_list_market(message.body)
            listed.setdefault(body.market, set()).add(body.parameters.unit)
    return listed


def is_listed(units: dict[int, int], listed: Listed) -> bool:
    """Whether each market was listed with its unit."""
    return all(unit in listed.get(market, ()) for market, unit in units.items())


def check_listed(units: dict[int, int], listed: Listed) -> None:
    """Raises DataError for a market that was never listed with this unit."""
    for market, unit in units.items():
        if unit not in listed.get(market, ()):
            raise DataError("data_mismatch", f"L1 lists no market {market} with a unit of {unit} token units")
