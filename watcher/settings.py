"""What a watcher can be told: the shared settings and its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from setoff.shared.config.key_settings import AccountSettings
from setoff.shared.config.limits import AtLeast, Listen, Matching, Url
from setoff.shared.config.setting import setting
from setoff.shared.config.settings import parse_listen, split
from setoff.shared.config.webhook_settings import WebhookSettings
from setoff.shared.console.settings import ConsoleSettings
from setoff.shared.dispute.terms import Terms
from setoff.shared.errors import ConfigError
from setoff.shared.params import MOVES, PRESETS, find_preset

LIVENESS_KEEPER_CLAIM_AFTER: Final = 300
"""Seconds after which a liveness keeper claims what nobody has claimed, unless `claim_after` says otherwise: an
operator that is there has done it long before."""


@dataclass(frozen=True, kw_only=True)
class WatcherSettings(ConsoleSettings, AccountSettings, WebhookSettings):
    """Settings of one watcher: all its processes, on whatever machines, share one name and one Redis server."""

    section: ClassVar[str] = "watcher"
    prefix: ClassVar[str] = "SETOFF_WATCHER_"

    listen: str = setting(
        "127.0.0.1:8710",
        "Where the watcher takes receipts and serves blobs over HTTP, host:port.",
        limit=Listen(),
        read_by="server",
    )
    peers: str = setting(
        "",
        "URLs of other watchers, separated by commas, to ask for blobs that nobody else has any more.",
        limit=Url(is_optional=True, is_list=True),
    )
    workers: int = setting(
        1,
        """Processes that execute batches; more than one share the work while there is much to catch up on, and somebody
        has machines (snapshot_peers).""",
        unit="processes",
        limit=AtLeast(0),
        read_by="supervisor",
    )
    snapshot_peers: str = setting(
        "",
        """URLs of operators and other watchers, separated by commas, to ask for machines while several workers catch
        up; those of `peers` are asked, too.""",
        limit=Url(is_optional=True, is_list=True),
        read_by="follower worker",
    )
    snapshot_limit: int = setting(
        256,
        """Largest machine that is taken from others; in memory it takes about ten times that.""",
        unit="megabytes",
        limit=AtLeast(1),
        read_by="worker",
    )
    redis_limit: int = setting(
        4096,
        """Size of inputs and machines in Redis beyond which those go that can be had again: calldata from L1, machines
        from those before. What epochs in blobs take comes on top.""",
        unit="megabytes",
        limit=AtLeast(1),
        read_by="archivist",
    )
    witness_limit: int = setting(
        256,
        """What is kept of witness bundles, which workers that have nothing else to do make for whoever checks a few
        batches of an epoch. None are made of machines that are larger, unpacked: in memory one takes about ten times
        that. 0: none at all.""",
        unit="megabytes",
        limit=AtLeast(0),
        read_by="server worker",
    )
    snapshot_epochs: int = setting(
        16,
        "Epochs between two snapshots, where a machine is too large to be kept after every one.",
        unit="epochs",
        limit=AtLeast(1),
        read_by="worker",
    )
    evidence_dir: Path = setting(
        Path("var/evidence"),
        """Where the histories of disputed epochs are kept, 50 bytes a step: of one's own, or shared with other
        watchers.""",
    )
    key: str = setting(
        "",
        """Private key that disputes: hex, the name of a file that holds it or a keystore, or the URL of a remote
        signer; empty: only watch.""",
        is_secret=True,
        read_by="supervisor challenger",
    )
    name: str = setting(
        "watcher",
        "Part of the watcher's keys in Redis, so that several can share a server.",
        limit=Matching("[A-Za-z0-9_-]{1,40}", "1 to 40 letters, digits, - and _"),
    )
    claim_after: int = setting(
        -1,
        """Claim an epoch that nobody has claimed so long after its last batch, with a stake; -1: never, but a liveness
        keeper after 300 (what it posted has to be claimed by somebody).""",
        unit="seconds",
        limit=AtLeast(-1),
        read_by="challenger worker",
    )
    liveness_keeper: bool = setting(
        False,
        """Whether to post what waits in the L1 queue while the operator is silent, and to see to the wind-down should
        it stay away: needs `key`, with ether for the gas and for a stake.""",
        read_by="challenger",
    )
    liveness_keeper_pace: int = setting(
        3600,
        """Time for which a liveness keeper collects messages into one epoch: bounds what it pays, whoever fills the
        queue.""",
        unit="seconds",
        limit=AtLeast(0),
        read_by="challenger",
    )
    deference: int = setting(
        0,
        """Time for which others' business is left to them: a turn of a true history that somebody else posted. Each
        comes off the clock, four times: needed is 4·deference + κ + C + 5ℓ + Q < T.""",
        unit="seconds",
        limit=AtLeast(0),
        read_by="supervisor challenger",
    )
    fee_cap: int = setting(
        500,
        "What a unit of gas may cost at most for what is in no hurry, base fee included.",
        unit="gwei",
        limit=AtLeast(1),
        read_by="challenger",
    )
    urgent_fee_cap: int = setting(
        5_000,
        """What a unit of gas may cost at most rather than lose a clock; never more than the bond that would be lost
        with it.""",
        unit="gwei",
        limit=AtLeast(1),
        read_by="challenger",
    )

    def find_conflicts(self) -> list[str]:
        found = []
        if self.liveness_keeper and not self.key:
            found.append("liveness_keeper: needs a key that pays for what it posts (watcher.key)")
        if self.fee_cap > self.urgent_fee_cap:
            found.append("fee_cap, urgent_fee_cap: needed: fee_cap <= urgent_fee_cap")
        return found

    @property
    def peer_urls(self) -> tuple[str, ...]:
        """The other watchers."""
        return split(self.peers)

    @property
    def snapshot_urls(self) -> tuple[str, ...]:
        """Who is asked for machines."""
        return tuple(dict.fromkeys((*self.peer_urls, *split(self.snapshot_peers))))

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return parse_listen(self.listen)

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
