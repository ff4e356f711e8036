"""What a watcher can be told: the shared settings and its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Final

from setoff.shared.config.settings import Settings, is_url, parse_listen, read_key, require
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import ConfigError
from setoff.shared.params import MOVES, PRESETS, find_preset

LIVENESS_KEEPER_CLAIM_AFTER: Final = 300
"""Seconds after which a liveness keeper claims what nobody has claimed, unless `claim_after` says otherwise: an
operator that is there has done it long before."""


@dataclass(frozen=True, kw_only=True)
class WatcherSettings(Settings):
    """Settings of one watcher: all its processes, on whatever machines, share one name and one Redis server."""

    section: ClassVar[str] = "watcher"

    listen: str = "127.0.0.1:8710"
    """Where the watcher takes receipts and serves blobs over HTTP, host:port."""
    peers: str = ""
    """URLs of other watchers, separated by commas, to ask for blobs that nobody else has any more."""
    workers: int = 1
    """Processes that execute batches."""
    redis_limit: int = 4096
    """Megabytes of inputs and machines in Redis beyond which those go that can be had again: calldata from L1, machines
    from those before. What epochs in blobs take comes on top."""
    snapshot_epochs: int = 16
    """Epochs between two snapshots, where a machine is too large to be kept after every one."""
    evidence_dir: Path = Path("var/evidence")
    """Where the histories of disputed epochs are kept, 50 bytes a step: of one's own, or shared with other watchers."""
    key: str = field(default="", repr=False)
    """Private key that disputes: hex, or the name of a file that holds it; empty: only watch."""
    name: str = "watcher"
    """Letters, digits, - and _: part of its keys in Redis, so that several watchers can share a server."""
    claim_after: int = -1
    """Claim an epoch that nobody has claimed so many seconds after its last batch, with a stake; -1: never, but a
    liveness keeper after 300 (what it posted has to be claimed by somebody)."""
    liveness_keeper: bool = False
    """Whether to post what waits in the L1 queue while the operator is silent, and to see to the wind-down should it
    stay away: needs `key`, with ether for the gas and for a stake."""
    liveness_keeper_pace: int = 3600
    """Seconds for which a liveness keeper collects messages into one epoch: bounds what it pays, whoever fills the
    queue."""
    deference: int = 0
    """Seconds for which others' business is left to them: a turn of a true history that somebody else posted. Each
    comes off the clock, four times: needed is 4·deference + κ + C + 5ℓ + Q < T."""
    fee_cap: int = 500
    """Gwei a gas to pay at most for what is in no hurry, base fee included."""
    urgent_fee_cap: int = 5_000
    """Gwei a gas to pay at most rather than lose a clock; never more than the bond that would be lost with it."""

    def check(self) -> None:
        super().check()
        parse_listen(self.listen)
        require(all(is_url(peer) for peer in self.peer_urls), "peers", "must be http URLs, separated by commas")
        require(self.workers >= 0, "workers", "must be 0 or more")
        require(self.redis_limit >= 1, "redis_limit", "must be 1 MB or more")
        require(self.snapshot_epochs >= 1, "snapshot_epochs", "must be 1 or more")
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", self.name):
            raise ConfigError("bad_config", "name: must be 1 to 40 letters, digits, - and _")
        if self.liveness_keeper and not self.key:
            raise ConfigError("bad_config", "liveness_keeper: needs a key that pays for what it posts (watcher.key)")
        if self.liveness_keeper_pace < 0:
            raise ConfigError("bad_config", "liveness_keeper_pace: must not be negative")
        if self.deference < 0 or self.claim_after < -1:
            raise ConfigError("bad_config", "claim_after, deference: must not be negative (but -1: off)")
        if not 1 <= self.fee_cap <= self.urgent_fee_cap:
            raise ConfigError("bad_config", "fee_cap, urgent_fee_cap: needed: 1 <= fee_cap <= urgent_fee_cap")

    @property
    def peer_urls(self) -> tuple[str, ...]:
        """The other watchers."""
        return tuple(peer.strip() for peer in self.peers.split(",") if peer.strip())

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return parse_listen(self.listen)

    def private_key(self) -> bytes:
        """The 32-byte key. Raises ConfigError if there is none."""
        return read_key(self.key, "watcher.key")

    @property
    def claims_after(self) -> int | None:
        """Seconds after which this watcher claims what nobody has claimed; None: never."""
        if self.claim_after >= 0:
            return self.claim_after
        return LIVENESS_KEEPER_CLAIM_AFTER if self.liveness_keeper else None

    def check_terms(self, terms: Terms) -> None:
        """Raises ConfigError if this watcher could lose by its own patience at a court with these terms."""
        name = find_preset(terms)
        if name:
            PRESETS[name].check_deference(self.deference)
        elif MOVES * self.deference >= terms.challenge_period:
            # κ, C, ℓ and Q are not on L1: of terms that no preset has, only the clock itself is known.
            raise ConfigError("bad_config", f"deference: four turns of it are T = {terms.challenge_period} s or more")
