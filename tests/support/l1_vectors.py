"""The vectors of L1: whole games at the deployed contracts, each transaction with its calldata and its event logs.

What a stranger needs to act there: a game begins with the first deposit and ends with the money paid, and what was lied
about is said in words and numbers. All of it happens in the tests' EVM, by the contracts as they are compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from tests.support.courts.arena import (
    CLAIMANT,
    HONEST,
    LISTER,
    MOVER,
    OPERATOR,
    PARAMS,
    PASSER_BY,
    RIVAL,
    TRADER,
    Arena,
    T,
    move_arguments,
    next_posting,
)
from tests.support.courts.dispute import JudgedArena
from tests.support.evm import CHAIN_ID, Reverted, address
from tests.support.l1_checks import lie_with
from tests.support.l1_recorder import Recorder

from setoff.deploy.tools.vectors import plain
from setoff.shared.codec import eip712, signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.merkle import merkle_root
from setoff.shared.codec.receipts import Receipt, digest, extend
from setoff.shared.machine.batch import ZERO, Header
from setoff.shared.machine.data import prove_record
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys
from setoff.shared.state.store import encode_leaf

DEPOSIT: Final = 1_000_000
OPERATOR_KEY: Final = keccak(b"the operator's key")
Wrong = Mapping[int, int]
"""By trace position what is added to the register `sequence` after that step."""


class Game:
    """An exchange of its own, an epoch of two batches with messages of several kinds and a few records, and what the
    parties do at the court."""

    def __init__(self) -> None:
        self.chain = Recorder()
        self.world = world = JudgedArena(self.chain)
        self.arena: Arena = world.arena
        arena, traffic = self.arena, world.traffic
        self.chain.name(token=arena.token, queue=arena.queue, vault=arena.vault, inbox=arena.inbox, judge=arena.judge)
        self.chain.name(court=arena.court)
        world.deposit(2, DEPOSIT)
        world.queue(arena.queue.force, traffic.transfer(1, keys.sub_account(1, 1), 5), sender=PASSER_BY)
        self.refuse("no_such_message", arena.inbox.post, *self.next_posting(messages=9), sender=OPERATOR)
        world.post()
        arena.warp(7)
        self.refuse("not_the_operator", arena.inbox.post, *self.next_posting(), sender=PASSER_BY)
        world.queue(arena.queue.force_as, traffic.withdraw(2, 11)[:60], sender=TRADER)
        world.post([traffic.withdraw(1, 7), traffic.transfer(1, keys.sub_account(1, 1), 1), bytes(124)])
        self.start = Machine.genesis(traffic.domain)
        assert self.start.hash() == arena.genesis
        self.truth = self.run({})

    def next_posting(self, messages: int = 0) -> tuple[Any, ...]:
        """Arguments of `post`."""
        return next_posting(self.arena.inbox, self.arena.queue, b"", messages)

    def refuse(self, reason: str, call: Callable[..., object], *arguments: object, **options: Any) -> None:
        """A call that reverts."""
        try:
            call(*arguments, **({"sender": PASSER_BY} | options))
        except Reverted as error:
            assert error.reason == reason, (error.reason, reason)
        else:
            raise AssertionError(f"it was taken, in place of {reason}")

    def run(self, wrong: Wrong) -> EpochRun:
        """A party's history of the epoch."""
        return EpochRun(self.start, self.world.batches, ZERO, lie_with(wrong))

    def find_step(self, number: int) -> int:
        """The position of that real step of the epoch."""
        machine, found = self.start.copy(), []
        for at, batch in enumerate(self.world.batches):
            for index in range(max(1, batch.header.inputs)):
                micro = 0
                while micro == 0 or machine.regs.phase != phases.IDLE:
                    found.append((at << 10 | index) << 20 | micro)
                    machine.step(batch, index, micro)
                    micro += 1
        return found[number]

    def describe(self, name: str, what: str, lies: Mapping[str, Wrong]) -> dict[str, Any]:
        """The vector."""
        return {
            "name": name,
            "what": what,
            "contracts": {name: bytes.fromhex(where[2:]) for name, where in self.chain.contracts.items()},
            "lies": [
                {
                    "history": self.run(wrong).root if wrong else self.truth.root,
                    "by": party,
                    "wrong": [{"position": at, "register": "sequence", "more": more} for at, more in wrong.items()],
                }
                for party, wrong in lies.items()
            ],
            "transactions": self.chain.transactions,
        }


def play_match(game: Game, key: bytes, a: EpochRun, b: EpochRun, until: int = 7) -> None:
    """Both sides move until the match is sealed."""
    arena = game.arena
    while (match := arena.match(key, a, b)).level < until:
        arena.warp(3)
        arena.move(key, a, b, by=HONEST if match.on_turn == a.root else RIVAL)


def prove(game: Game, key: bytes, a: EpochRun, b: EpochRun) -> None:
    """The step before the first leaf in which the two differ, by the truth."""
    arena, truth = game.arena, game.truth
    position = arena.match(key, a, b).prefix
    pre, path = (a.leaf(position - 1), a.path(position - 1)) if position else (arena.genesis, [])
    proof = truth.proof(position)
    game.refuse("wrong_pre", arena.court.prove, key, a.root, b.root, keccak(pre), path, proof)
    arena.court.prove(key, a.root, b.root, pre, path, proof, sender=MOVER)


def pay_out(game: Game, epoch: int = 0) -> None:
    """A withdrawal by the confirmed end, and everybody's money."""
    arena, end = game.arena, game.truth.end_machine()
    (key, leaf) = next((k, v) for k, v in sorted(end.state.tree.items()) if k >> keys.BODY_BITS == keys.WITHDRAWAL)
    index = key & 2**keys.BODY_BITS - 1
    withdrawal = end.state.withdrawal(index)
    bitmap, siblings = end.state.tree.prove(key)
    assert encode_leaf(key, withdrawal) == leaf
    owner = "0x" + withdrawal.owner.hex()
    given = (end.regs.hash(), end.state.tree.root, index, withdrawal.account, owner)
    game.refuse("not_confirmed", arena.vault.withdraw, epoch + 1, *given, withdrawal.amount, bitmap, siblings)
    game.refuse("witness_path", arena.vault.withdraw, epoch, *given, withdrawal.amount + 1, bitmap, siblings)
    arena.vault.withdraw(epoch, *given, withdrawal.amount, bitmap, siblings, sender=PASSER_BY)
    game.refuse("withdrawal_paid", arena.vault.withdraw, epoch, *given, withdrawal.amount, bitmap, siblings)
    arena.collect_all()


def play_undisputed() -> dict[str, Any]:
    """Nobody disputes what is true."""
    game = Game()
    arena, truth = game.arena, game.truth
    game.refuse("wrong_value", arena.court.claim, 0, arena.genesis, truth.end)
    game.refuse("epoch_not_posted", arena.court.claim, 1, arena.genesis, truth.end, value=PARAMS.stake)
    key = arena.claim(truth.end)
    game.refuse("already_claimed", arena.court.claim, 0, arena.genesis, truth.end, value=PARAMS.stake)
    game.refuse("not_disputed", join, game, key, truth)
    arena.warp(T - 1)
    game.refuse("too_early", arena.court.install, key, truth.end)
    arena.warp(1)
    game.refuse("wrong_end", arena.court.install, key, keccak(truth.end))
    arena.court.install(key, truth.end, sender=PASSER_BY)
    arena.court.advance(0, sender=PASSER_BY)
    arena.court.unstake(1, sender=CLAIMANT)
    pay_out(game)
    return game.describe("undisputed", "A true claim, which nobody disputes; then a withdrawal is paid.", {})


def join(game: Game, key: bytes, history: EpochRun, **options: Any) -> None:
    """A join, with its bond."""
    path = options.pop("path", history.last_path())
    game.arena.court.join(key, history.children(0, 0), history.end, path, **({"value": PARAMS.bond} | options))


def play_lie() -> dict[str, Any]:
    """A claim of a false end, defended to the last move."""
    game = Game()
    arena, truth = game.arena, game.truth
    wrong = {game.find_step(5): 1}
    lie = game.run(wrong)
    key = arena.claim(lie.end)
    arena.warp(20)
    game.refuse("history_end", join, game, key, truth, path=truth.path(0)[:30])
    game.refuse("wrong_value", join, game, key, truth, value=1)
    arena.join(key, truth, by=HONEST)
    game.refuse("history_exists", join, game, key, truth)
    arena.warp(20)
    arena.join(key, lie, by=RIVAL)
    game.refuse("match_not_sealed", arena.court.prove, key, truth.root, lie.root, arena.genesis, [], b"")
    game.refuse("not_on_turn", arena.court.move, *move_arguments(key, truth, lie, 0, 0))
    for change in ("wrong_opening", "child_index", "children_length", "children_equal"):
        game.refuse(change, arena.court.move, *spoil(move_arguments(key, lie, truth, 0, 0), change))
    play_match(game, key, truth, lie)
    last = move_arguments(key, lie, truth, 6, arena.match(key, truth, lie).prefix // 32)
    game.refuse("match_sealed", arena.court.move, *last)
    prove(game, key, truth, lie)
    game.refuse("too_early", arena.court.install, key, truth.end)
    finish(game, key, lie)
    what = (
        "A claim of a false end. One step of a history is wrong, and all that follow are honest steps from there. The "
        "truth joins, then the lie; both move down to the step, which the court runs."
    )
    return game.describe("a false end", what, {"truth": {}, "lie": wrong})


def spoil(arguments: Sequence[Any], reason: str) -> tuple[Any, ...]:
    """The arguments of a move that is refused for this reason."""
    key, mover, opponent, index, children, their_child, *sides = arguments
    if reason == "child_index":
        index = 32
    elif reason == "children_length":
        children = children[:-1]
    elif reason == "wrong_opening":
        children = [*children[:-1], keccak(children[-1])]
    else:
        their_child = merkle_root(children)
    return key, mover, opponent, index, children, their_child, *sides


def finish(game: Game, key: bytes, *losers: EpochRun) -> None:
    """From the last verdict to the last payment: the truth stands alone."""
    arena, truth = game.arena, game.truth
    arena.warp(2 * T)
    arena.court.install(key, truth.end, sender=PASSER_BY)
    game.refuse("history_not_standing", arena.court.settle, key, losers[0].root)
    arena.court.settle(key, truth.root, sender=PASSER_BY)
    for history in (truth, *losers):
        arena.court.release(key, history.root, sender=PASSER_BY)
    arena.court.advance(0, sender=PASSER_BY)
    pay_out(game)


def play_wrong_middle() -> dict[str, Any]:
    """Two lies at once, one of which has the right end."""
    game = Game()
    arena, truth = game.arena, game.truth
    first, second = game.find_step(2), game.find_step(9)
    wrongs = {"other end": {first: 2}, "right end": {first: 1, second: -1}}
    lies = [game.run(wrong) for wrong in wrongs.values()]
    assert lies[0].end != truth.end == lies[1].end
    key = arena.claim(truth.end)
    for history, party in ((lies[0], RIVAL), (lies[1], RIVAL), (truth, HONEST)):
        arena.warp(10)
        arena.join(key, history, by=party)
    for lie in lies:
        play_match(game, key, truth, lie)
        prove(game, key, truth, lie)
    finish(game, key, *lies)
    what = (
        "The claim is right. A history with another end disputes it, and one with the right end is wrong between two "
        "steps. The truth joins last, and wins against both."
    )
    return game.describe("a wrong middle", what, {"truth": {}} | wrongs)


def play_silence() -> dict[str, Any]:
    """A liar who stops to answer."""
    game = Game()
    arena, truth = game.arena, game.truth
    wrong = {game.find_step(0): 3}
    lie = game.run(wrong)
    key = arena.claim(lie.end)
    arena.join(key, truth, by=HONEST)
    arena.join(key, lie, by=RIVAL)
    play_match(game, key, truth, lie, until=2)
    match = arena.match(key, truth, lie)
    assert match.on_turn == lie.root
    game.refuse("clock_runs", arena.court.timeout, key, truth.root, lie.root)
    arena.chain.set_time(match.expiry)
    game.refuse("clock_run_out", arena.court.move, *move_arguments(key, lie, truth, match.level, match.prefix))
    arena.court.timeout(key, truth.root, lie.root, sender=MOVER)
    finish(game, key, lie)
    what = "A claim of a false end, wrong from the first step. The lie makes one move, and no more."
    return game.describe("silence", what, {"truth": {}, "lie": wrong})


def play_nobody_right() -> dict[str, Any]:
    """Two lies about one step put each other out; the claim is void, and the next round begins."""
    game = Game()
    arena, truth = game.arena, game.truth
    at = game.find_step(7)
    wrongs = {"one lie": {at: 1}, "another lie": {at: 2}}
    one, other = (game.run(wrong) for wrong in wrongs.values())
    key = arena.claim(one.end)
    arena.join(key, other, by=RIVAL)
    arena.join(key, one, by=CLAIMANT)
    play_match(game, key, one, other)
    prove(game, key, one, other)
    game.refuse("too_early", arena.court.void, key)
    arena.warp(T)
    game.refuse("ends_differ", arena.court.install, key, truth.end)
    arena.court.void(key, sender=PASSER_BY)
    again = arena.claim(truth.end, by=HONEST)
    assert again == arena.key(arena.genesis, round=1)
    arena.warp(T)
    arena.court.install(again, truth.end, sender=PASSER_BY)
    arena.court.advance(0, sender=PASSER_BY)
    for history in (one, other):
        arena.court.release(key, history.root, sender=PASSER_BY)
    pay_out(game)
    what = (
        "Two histories that differ at one step, both wrong there: the proof puts both out. The claim is void, and the "
        "next one on the same start has another key."
    )
    return game.describe("nobody is right", what, wrongs)


def play_receipts() -> dict[str, Any]:
    """Receipts that were broken, each in another way, and some that were kept."""
    chain = Recorder()
    operator = address(int.from_bytes(signatures.address_of(OPERATOR_KEY), "big"))
    vault = address("vault")
    queue = chain.deploy("queue", vault, chain.predict(1), LISTER, 10, 0, 1)
    inbox = chain.deploy("inbox", queue.address, operator, 100, 50, 10_000, 1, 0, [])
    receipts = chain.deploy("receipts", vault, inbox.address, PARAMS.receipt_bond, 1000)
    chain.name(queue=queue, inbox=inbox, receipts=receipts)
    chain.fund(operator)
    domain = eip712.domain_separator(CHAIN_ID, bytes.fromhex(vault[2:]))
    bodies = [keccak(f"record {number}".encode()).ljust(124, b"\7") for number in range(12)]
    running = [ZERO]
    for body in bodies:
        running.append(extend(running[-1], keccak(body)))

    def sign(sequence: int, record: bytes, hash_so_far: bytes, key: bytes = OPERATOR_KEY) -> tuple[Receipt, bytes]:
        receipt = Receipt(sequence, keccak(record), hash_so_far, chain.now + 300)
        return receipt, signatures.sign(digest(domain, receipt), key)

    def refuse(reason: str, call: Callable[..., object], *arguments: object) -> None:
        try:
            call(*arguments, sender=PASSER_BY)
        except Reverted as error:
            assert error.reason == reason, (error.reason, reason)
        else:
            raise AssertionError(f"it was taken, in place of {reason}")

    def slash(call: Callable[..., object], *arguments: object) -> None:
        receipts.deposit_bond(sender=operator, value=PARAMS.receipt_bond)
        call(*arguments, sender=PASSER_BY)
        receipts.collect(PASSER_BY, sender=PASSER_BY)

    kept, other = sign(3, bodies[3], running[4]), sign(3, bodies[4], running[4])
    foreign = sign(9, bodies[8], running[10], keccak(b"another key"))
    refuse("no_bond", receipts.prosecute_conflict, *kept, *other)
    slash(receipts.prosecute_conflict, *kept, *other)
    refuse("receipt_used", receipts.prosecute_conflict, *other, *kept)
    receipts.deposit_bond(sender=operator, value=PARAMS.receipt_bond)
    late, late_follower = sign(5, bodies[5], running[6]), sign(6, bodies[6], keccak(running[7]))
    refuse("receipts_agree", receipts.prosecute_conflict, *late, *sign(6, bodies[6], running[7]))
    refuse("bad_signature", receipts.prosecute_conflict, *late, *foreign)
    receipts.prosecute_conflict(*late, *late_follower, sender=PASSER_BY)
    receipts.collect(PASSER_BY, sender=PASSER_BY)
    chain.warp(10)
    broken = sign(9, bodies[3], running[10])
    honest = sign(9, bodies[9], running[10])
    inbox.post(*next_posting(inbox, queue, b"".join(bodies)), sender=operator)
    (event,) = chain.last.named("BatchPosted")
    header = tuple(event[name] for name in Header.__dataclass_fields__)
    record_page, siblings = prove_record(b"".join(bodies), 9)
    receipts.deposit_bond(sender=operator, value=PARAMS.receipt_bond)
    refuse("receipt_kept", receipts.prosecute_contradiction, *honest, header, record_page, siblings)
    refuse("wrong_input", receipts.prosecute_contradiction, *broken, header, record_page, [ZERO, *siblings[1:]])
    receipts.prosecute_contradiction(*broken, header, record_page, siblings, sender=PASSER_BY)
    receipts.collect(PASSER_BY, sender=PASSER_BY)
    promised = sign(12, b"\1" * 124, keccak(b"whatever came before"))
    receipts.deposit_bond(sender=operator, value=PARAMS.receipt_bond)
    refuse("too_early", receipts.prosecute_omission, *promised, header)

    def post_empty(seconds: int) -> tuple[Any, ...]:
        chain.warp(seconds)
        inbox.post(*next_posting(inbox, queue), sender=operator)
        (event,) = chain.last.named("BatchPosted")
        return tuple(event[name] for name in Header.__dataclass_fields__)

    refuse("too_early", receipts.prosecute_omission, *promised, post_empty(300))
    later = post_empty(1)
    refuse("receipt_kept", receipts.prosecute_omission, *honest, later)
    receipts.prosecute_omission(*promised, later, sender=PASSER_BY)
    receipts.collect(PASSER_BY, sender=PASSER_BY)
    receipts.deposit_bond(sender=operator, value=PARAMS.receipt_bond)
    receipts.announce_exit(sender=operator)
    chain.warp(1000)
    receipts.withdraw_bond(sender=operator)
    receipts.collect(operator, sender=operator)
    return {
        "name": "receipts",
        "what": "Receipts that contradict each other, or a posted batch, or were left out; and some that were kept.",
        "contracts": {"vault": bytes.fromhex(vault[2:])}
        | {name: bytes.fromhex(where[2:]) for name, where in chain.contracts.items()},
        "lies": [],
        "transactions": chain.transactions,
    }


def play_proposals() -> dict[str, Any]:
    """What the lister proposes, and anybody queues."""
    game = Game()
    arena = game.arena
    queue = arena.queue
    game.refuse("not_the_lister", queue.propose_signer, 0, TRADER, 1, 60)
    queue.propose_signer(0, TRADER, PARAMS.least_quorum, 60, sender=LISTER)
    queue.propose_signer(1, RIVAL, PARAMS.least_quorum, 60, sender=LISTER)
    queue.revoke(0, sender=LISTER)
    game.refuse("too_early", queue.enact, 1)
    arena.warp(PARAMS.listing_delay)
    game.refuse("no_such_proposal", queue.enact, 0)
    game.world.queue(queue.enact, 1, sender=PASSER_BY)
    game.refuse("not_the_lister", queue.announce, arena.token.address, 0)
    queue.announce(arena.token.address, arena.now + PARAMS.listing_delay, sender=LISTER)
    arena.wait_for_pace()
    arena.inbox.reserve(sender=OPERATOR)
    game.world.post()
    arena.warp(PARAMS.wind_down)
    game.world.queue(queue.wind_down, sender=PASSER_BY)
    game.world.post(by=PASSER_BY)
    what = "Proposals that wait, one that is taken back; a successor; and the end of the exchange, by a passer-by."
    return game.describe("proposals", what, {})


GAMES: Final = (
    play_undisputed,
    play_lie,
    play_wrong_middle,
    play_silence,
    play_nobody_right,
    play_proposals,
    play_receipts,
)


def list_claims(game: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The keys of a game's claims, and of what."""
    for transaction in game["transactions"]:
        for log in transaction["logs"]:
            if log["event"].startswith("Claimed("):
                fields = log["fields"]
                words = {name: fields[name] for name in ("epoch", "epoch_hash", "start", "round", "key")}
                yield {"game": game["name"], **words}


def build_l1() -> dict[str, Any]:
    """The document."""
    games = [play() for play in GAMES]
    return {
        "chain_id": CHAIN_ID,
        "epoch_batches": PARAMS.epoch_batches,
        "backstop_delay": PARAMS.backstop_delay,
        "claims": plain([claim for game in games for claim in list_claims(game)]),
        "games": plain(games),
    }
