"""Disputes on a real chain: the real court, players with accounts of their own in threads and processes."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from tests.support.chains.toy_chain import PUBLISHER, ToyChain, make_book, quick
from tests.support.courts.arena import lie_from, truth
from tests.support.courts.league import EPOCHS, Book
from tests.support.nodes.faulty_node import Answer, FaultyNode, Next, Question
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import Anvil, dev_keys
from setoff.deploy.simulation.lab.machine import Exchanged, Garbage, position
from setoff.shared.codec.hashing import keccak
from setoff.shared.dispute import actions
from setoff.shared.dispute.game import ClaimState
from setoff.shared.dispute.strategy import Policy
from setoff.shared.l1.connection import L1
from setoff.shared.l1.player import CourtPlayer, Round
from setoff.shared.machine.data import ZERO

CLAIMER = Policy(claim_after=0, collect_from=1)
WATCH = Policy(collect_from=1)
HONEST, SECOND, LIAR, MUTE = 2, 3, 4, 5
"""Accounts of the chain."""
PERIOD = 10
"""Seconds: more than a loaded machine needs for a dispute."""


@pytest.fixture
def chain(anvil: Anvil) -> ToyChain:
    chain = ToyChain(anvil, quick(PERIOD))
    chain.post_epochs(1)
    return chain


@contextmanager
def playing(*players: CourtPlayer) -> Iterator[None]:
    """All of them play in threads of their own."""
    stop = threading.Event()
    threads = [threading.Thread(target=player.run, args=(stop, 0.1), daemon=True) for player in players]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


def is_paid(chain: ToyChain, player: CourtPlayer) -> bool:
    """Whether nothing of the player's is left in the court."""
    court = player.reader.court
    if any(
        history.owner == player.l1.address and history.state.value != "paid"
        for c in court.claims.values()
        for history in c.histories.values()
    ):
        return False
    return bool(chain.contract.view("owed", "0x" + player.l1.address.hex()) == 0)


def test_one_honest_watcher_beats_a_lying_operator_and_its_friends(chain: ToyChain) -> None:
    honest_history = truth(chain.genesis)
    lie = lie_from(chain.genesis, position(1, 0, 2), "operator")
    garbage = Garbage(keccak(b"nowhere"), b"garbage")
    middle = Exchanged(honest_history, position(0, 2, 1), keccak(b"middle"))
    honest = chain.player(HONEST, chain.book(honest_history), WATCH)
    operator = chain.player(PUBLISHER, chain.book(lie), CLAIMER)
    liar = chain.player(LIAR, chain.book(middle), WATCH)
    mute = chain.player(MUTE, chain.book(garbage), WATCH)
    before = honest.l1.balance(honest.l1.address)
    with playing(honest, operator, liar, mute):
        wait_until(lambda: bool(chain.contract.view("confirmed", 0) != ZERO))
        wait_until(lambda: is_paid(chain, honest))
    assert chain.contract.view("confirmed", 0) == honest_history.end
    claim = honest.reader.court.latest(0, chain.genesis)
    assert claim is not None and claim.winner == honest_history.root
    assert claim.state is ClaimState.SETTLED
    # It has the reward, its bond, and the losers' bonds but for what is burnt.
    gained = honest.l1.balance(honest.l1.address) - before
    assert (
        gained
        > chain.params.stake_reward + (len(claim.histories) - 1) * (chain.params.bond - chain.params.bond_burn) - 10**17
    )


def test_two_watchers_and_an_honest_operator_confirm_epoch_after_epoch(chain: ToyChain) -> None:
    chain.post_epochs(EPOCHS - 1)
    histories = []
    start = chain.genesis
    for epoch in range(EPOCHS):
        histories.append(truth(start, epoch))
        start = histories[-1].end
    book = chain.book(*histories)
    lie = lie_from(histories[0].end, position(0, 0, 0), "second", epoch=1)
    players = [
        chain.player(PUBLISHER, book, CLAIMER),
        chain.player(HONEST, book, WATCH),
        chain.player(SECOND, book, Policy(deference=3, collect_from=1)),
        chain.player(LIAR, chain.book(histories[0], lie), WATCH),
    ]
    with playing(*players):
        wait_until(lambda: bool(chain.contract.view("confirmed", EPOCHS - 1) == start))
        wait_until(lambda: all(is_paid(chain, player) for player in players[:3]))
        wait_until(lambda: all(player.reader.court.confirmed == EPOCHS for player in players[1:3]))
    assert players[1].reader.court.start_of == players[2].reader.court.start_of


def play_apart(url: str, account: int, court: bytes, hashes: list[bytes], genesis: bytes, kind: str) -> None:
    """What another process does: its knowledge is made here, from nothing but public data."""
    history = truth(genesis) if kind == "honest" else lie_from(genesis, position(0, 0, 3), kind)
    policy = CLAIMER if kind == "operator" else WATCH
    book = make_book(hashes, genesis, [history])
    CourtPlayer(L1(url, dev_keys()[account]), court, book, policy).run(threading.Event(), 0.2)


def test_players_in_processes_of_their_own_on_a_chain_with_slow_blocks() -> None:
    with Anvil(block_time=1) as anvil:
        chain = ToyChain(anvil, quick(16))
        chain.post_epochs(1)
        context = multiprocessing.get_context("spawn")
        processes = [
            context.Process(
                target=play_apart,
                args=(anvil.url, account, chain.court, chain.hashes, chain.genesis, kind),
                daemon=True,
            )
            for account, kind in ((PUBLISHER, "operator"), (HONEST, "honest"), (SECOND, "honest"), (LIAR, "liar"))
        ]
        for process in processes:
            process.start()
        try:
            wait_until(lambda: bool(chain.contract.view("confirmed", 0) != ZERO), 120)
        finally:
            for process in processes:
                process.kill()
        assert chain.contract.view("confirmed", 0) == truth(chain.genesis).end


def rounds_until(players: list[CourtPlayer], condition: Callable[[], bool]) -> list[Round]:
    """Players take turns until something holds."""
    taken = []
    for _ in range(200):
        taken += [player.step() for player in players]
        if condition():
            return taken
    raise AssertionError("it takes too long")


def test_a_reorg_that_drops_moves_is_played_again(chain: ToyChain) -> None:
    honest_history = truth(chain.genesis)
    lie = lie_from(chain.genesis, position(1, 0, 2), "operator")
    honest = chain.player(HONEST, chain.book(honest_history), WATCH)
    operator = chain.player(PUBLISHER, chain.book(lie), CLAIMER)
    players = [operator, honest]

    def level() -> int:
        claim = honest.reader.court.latest(0, chain.genesis)
        return max((match.level for match in claim.matches.values()), default=0) if claim else 0

    rounds_until(players, lambda: level() >= 4)
    honest.reader.poll()  # its own last moves, too: or those dropped would be ones that it has not seen
    chain.anvil.l1.request("anvil_reorg", 3, [])
    honest.step()
    assert honest.reader.reorgs == 1 and level() < 7
    rounds_until(players, lambda: level() == 7)
    with playing(*players):
        wait_until(lambda: bool(chain.contract.view("confirmed", 0) != ZERO))
    assert chain.contract.view("confirmed", 0) == honest_history.end


def test_a_node_that_hangs_only_delays(chain: ToyChain) -> None:
    honest_history = truth(chain.genesis)
    lie = lie_from(chain.genesis, position(1, 0, 2), "operator")
    honest = chain.player(HONEST, chain.book(honest_history), WATCH, timeout=0.5, patience=0.5)
    operator = chain.player(PUBLISHER, chain.book(lie), CLAIMER, timeout=0.5, patience=0.5)
    with playing(honest, operator):
        wait_until(lambda: bool(honest.reader.court.claims))
        os.kill(chain.anvil.process.pid, signal.SIGSTOP)
        time.sleep(2)
        os.kill(chain.anvil.process.pid, signal.SIGCONT)
        wait_until(lambda: bool(chain.contract.view("confirmed", 0) != ZERO))
    assert chain.contract.view("confirmed", 0) == honest_history.end


def test_what_others_have_done_counts_as_done_and_what_fails_is_told(chain: ToyChain) -> None:
    honest_history = truth(chain.genesis)
    lie = lie_from(chain.genesis, position(1, 0, 2), "operator")
    book = chain.book(honest_history)
    operator = chain.player(PUBLISHER, chain.book(lie), CLAIMER)
    first, second = chain.player(HONEST, book, WATCH), chain.player(SECOND, book, WATCH)
    operator.step()
    first.reader.poll()
    second.reader.poll()
    chosen = second.player.choose(second.reader.court, book, second.l1.now())
    assert [type(action) for action in chosen] == [actions.Join]
    assert [type(action) for action, _ in first.step().sent] == [actions.Join]
    late = Round(second.reader.block, 0, [])
    second._act(chosen[0], late)
    assert late.done == chosen and late.sent == []
    assert second.l1.list_splits() == [], "that another was first tells nothing of the node"
    # Not enough money for the bond: told, and tried again later.
    poor = CourtPlayer(L1(chain.anvil.url, keccak(b"poor")), chain.court, Book({0: chain.book(lie).executed(0)}), WATCH)  # type: ignore[dict-item]
    outcome = poor.step()
    assert outcome.sent == [] and len(outcome.refused) == 1
    assert poor.step().refused == []  # paused


def test_what_is_refused_and_a_moment_later_allowed_is_sent_and_told_of_the_node(chain: ToyChain) -> None:
    """Two backends behind one address, and one of them is on a branch where the match is over."""
    trials = iter(range(100))

    def stray(asked: Question, go_on: Next) -> Answer:
        is_trial = asked.method == "eth_call" and "from" in asked.params[0]
        return asked.revert("claim_state") if is_trial and next(trials) == 0 else go_on(asked)

    lie = lie_from(chain.genesis, position(1, 0, 2), "operator")
    chain.player(PUBLISHER, chain.book(lie), CLAIMER).step()
    with FaultyNode(chain.anvil.url, stray) as node:
        l1 = L1(node.url, dev_keys()[HONEST])
        honest = CourtPlayer(l1, chain.court, chain.book(truth(chain.genesis)), WATCH)
        assert [type(action) for action, _ in honest.step().sent] == [actions.Join]
        (told,) = l1.list_splits()
    assert "shows two branches at once" in told


def test_the_reader_forgets_closed_claims_and_still_rolls_back(chain: ToyChain) -> None:
    honest_history = truth(chain.genesis)
    player = chain.player(PUBLISHER, chain.book(honest_history), CLAIMER)
    with playing(player):
        wait_until(lambda: bool(chain.contract.view("confirmed", 0) != ZERO))
    player.step()
    before = dict(player.reader.court.start_of)
    player.reader._compact()
    assert player.reader.court.start_of == before
    chain.anvil.l1.request("anvil_reorg", 1, [])
    player.reader.poll()
    assert player.reader.court.start_of.keys() <= before.keys()
