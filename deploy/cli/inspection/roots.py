"""What a 32-byte hash is: of a batch, a machine, a state, an epoch, the queue, a claim, a history."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from setoff.deploy.cli.inspection.told import Told
from setoff.deploy.cli.inspection.verdict import read_court
from setoff.shared.dispute.game import CourtState
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.batch import Batch, epoch_hash
from setoff.shared.sdk.replay import Replay


class Seen(Replay):
    """Compares every hash on the way with the one that is looked for."""

    def __init__(self, reader: ChainReader, report: Callable[[int], None], wanted: bytes) -> None:
        super().__init__(reader, report)
        self._wanted = wanted
        self.found: list[str] = []
        self.ends: dict[int, bytes] = {}
        """Machine hash after each epoch, by its number; before the first at -1."""
        self.ends[-1] = self.machine.hash()
        self._compare(self.ends[-1], "the machine hash before the first batch")

    def note_batch(self, batch: Batch) -> None:
        header, count = batch.header, self.reader.deployment.epoch_batches
        number, epoch = header.number, header.number // count
        end = self.machine.hash()
        self._compare(header.hash(), f"the hash of batch {number}")
        self._compare(header.parent, f"the hash of batch {number - 1}")
        self._compare(header.data_root, f"the data root of batch {number}")
        self._compare(header.queue_hash, f"the hash of the queue after the messages up to batch {number}")
        self._compare(self.machine.state.tree.root, f"the state root after batch {number}")
        self._compare(end, f"the machine hash after batch {number}")
        if (number + 1) % count == 0:
            self.ends[epoch] = end
            self._compare(end, f"the true end of epoch {epoch}")
            self._compare(
                epoch_hash(epoch, count, header.hash()), f"the epoch hash of epoch {epoch}, which claims name"
            )

    def _compare(self, value: bytes, meaning: str) -> None:
        if value == self._wanted and meaning not in self.found:
            self.found.append(meaning)


def explain_root(reader: ChainReader, wanted: bytes, report: Callable[[int], None]) -> Told:
    """Everything of the exchange that has this hash, by running it from L1."""
    seen = Seen(reader, report, wanted)
    seen.advance()
    found = [*seen.found, *_find_in_court(read_court(reader), wanted, seen.ends)]
    lines = found or ["nothing of this exchange has this hash: no batch, machine, state, epoch, claim or history"]
    return Told({"hash": wanted, "is": found}, lines, is_bad=not found)


def _find_in_court(court: CourtState, wanted: bytes, ends: dict[int, bytes]) -> Iterator[str]:
    for claim in court.claims.values():
        by = f"by 0x{claim.claimant.hex()}"
        if claim.key == wanted:
            yield f"the key of the claim about epoch {claim.epoch}, round {claim.round}, {by}: {claim.state.value}"
        if claim.end == wanted:
            true = ends.get(claim.epoch)
            what = (
                "which is not known here" if true is None else "which is true" if true == wanted else "which is FALSE"
            )
            yield f"the end of epoch {claim.epoch} as claimed {by}, {what}: {claim.state.value}"
        for history in claim.histories.values():
            owner = f"by 0x{history.owner.hex()}"
            if history.root == wanted:
                yield f"a history of epoch {claim.epoch}, joined {owner}: {history.state.value}"
            if history.end == wanted and history.end != claim.end:
                yield f"the end of a history of epoch {claim.epoch}, joined {owner}: {history.state.value}"
