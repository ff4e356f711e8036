"""One of two endpoints belongs to the thief: whatever it says, the other one is heard, and the truth is confirmed."""

import contextlib
from dataclasses import replace
from functools import partial
from typing import Final

import pytest
from tests.support.chains.exchange import Exchange
from tests.support.nodes.faulty_node import Answer, Fault, FaultyNode, Next, Question
from tests.support.processes.lone_watcher import WATCHER, LoneWatcher
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.simulation.lying_watcher import WatcherLie, open_false_epochs
from setoff.deploy.simulation.sample_traffic import SampleTraffic
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import SetoffError
from setoff.shared.l1.proofs import EMPTY_ROOT
from setoff.shared.l1.sender import Sender
from setoff.shared.params import DEMO, Params
from setoff.watcher.execution.verify import verify_epoch
from setoff.watcher.settings import WatcherSettings

THIEF: Final = 6
LIE: Final = 1
"""The epoch that he lies about."""


def keep_transactions(asked: Question, go_on: Next) -> Answer:
    """They are taken, and passed on to nobody."""
    if asked.method != "eth_sendRawTransaction":
        return go_on(asked)
    return asked.answer("0x" + keccak(bytes.fromhex(asked.params[0][2:])).hex())


def refuse_transactions(asked: Question, go_on: Next) -> Answer:
    is_sent = asked.method == "eth_sendRawTransaction"
    return asked.refuse(-32000, "insufficient funds for gas") if is_sent else go_on(asked)


def refuse_trials(asked: Question, go_on: Next) -> Answer:
    """Whoever tries what it is about to send is told that somebody else has done it."""
    is_trial = asked.method in ("eth_call", "eth_estimateGas") and "from" in asked.params[0]
    return asked.revert("history_exists") if is_trial else go_on(asked)


def refuse_estimates(asked: Question, go_on: Next) -> Answer:
    return asked.revert("claim_state") if asked.method == "eth_estimateGas" else go_on(asked)


def call_it_poor(asked: Question, go_on: Next) -> Answer:
    is_trial = asked.method in ("eth_call", "eth_estimateGas") and "from" in asked.params[0]
    return asked.refuse(-32000, "insufficient funds for transfer") if is_trial else go_on(asked)


def judge_otherwise(asked: Question, go_on: Next) -> Answer:
    """Of a call of the judge, known by its size, another result."""
    is_judged = asked.method == "eth_call" and "from" not in asked.params[0] and len(asked.params[0]["data"]) > 4000
    return asked.answer("0x" + "11" * 32) if is_judged else go_on(asked)


def tell_a_late_time(asked: Question, go_on: Next) -> Answer:
    answer = go_on(asked)
    if asked.method == "eth_getBlockByNumber" and asked.params[0] == "pending":
        answer["result"]["timestamp"] = hex(int(answer["result"]["timestamp"], 16) + 10**6)
    return answer


def hide_events(asked: Question, go_on: Next) -> Answer:
    """Headers that hash to nothing, without events."""
    answer = go_on(asked)
    if asked.method in ("eth_getBlockByNumber", "eth_getBlockByHash") and answer.get("result"):
        nothing = {"logsBloom": "0x" + "00" * 256, "receiptsRoot": "0x" + EMPTY_ROOT.hex(), "transactions": []}
        answer["result"] |= {**nothing, "newField": "0x1"}
    return answer


LIES: Final[dict[str, Fault]] = {
    lie.__name__: lie
    for lie in (
        keep_transactions,
        refuse_transactions,
        refuse_trials,
        refuse_estimates,
        call_it_poor,
        judge_otherwise,
        tell_a_late_time,
        hide_events,
    )
}


SAMPLE: Final = ("refuse_trials",)
"""In the default run."""


@pytest.fixture
def params() -> Params:
    return DEMO


@pytest.mark.parametrize(
    "lie", [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.long) for name in LIES]
)
def test_an_endpoint_of_the_thiefs_confirms_no_lie(
    exchange: Exchange, settings: WatcherSettings, node: FaultyNode, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.setattr(Sender, "_patience", lambda *_: 0.3)
    traffic = SampleTraffic(exchange.deployment.chain_id, exchange.deployment.vault_bytes)
    exchange.deposit(1, 1_000_000)
    exchange.post(0, 1)
    exchange.post(LIE, 0, [traffic.withdraw(1, 7)])
    both = replace(settings, rpc_url=f"{node.url},{exchange.anvil.url}", key=dev_keys()[WATCHER].hex())
    thief = LoneWatcher(
        exchange,
        replace(settings, name="thief", key=dev_keys()[THIEF].hex(), claim_after=0),
        THIEF,
        open_epochs=partial(open_false_epochs, WatcherLie("wrong-root", LIE)),
    )
    honest = LoneWatcher(exchange, both)
    honest.round()
    node.faults = [LIES[lie]]

    def go_on() -> None:
        thief.round()
        for _ in range(3):  # a second or so of what its processes do
            with contextlib.suppress(SetoffError):
                honest.round()
        exchange.anvil.advance(1)

    wait_until(lambda: thief.player.reader.court.confirmed > LIE, 100, meanwhile=go_on)
    court = thief.player.reader.court
    assert court.start_of[LIE + 1] == verify_epoch(thief.context.reader, LIE)[0].end
