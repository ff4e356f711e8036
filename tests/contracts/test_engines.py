"""The tests' EVMs: whichever serves a run, the same transactions have the same effects, logs and gas."""

from __future__ import annotations

import pytest
from eth_utils import to_checksum_address
from tests.support.engines.choice import ENGINES, VARIABLE, engine_name, has_pyrevm, new_engine
from tests.support.engines.engine import GAS_LIMIT, Engine, Failed, Transaction
from tests.support.evm import CHAIN_ID, address, contract_address, read_reason

TIME = 1_800_000_000
SENDER = address("sender")
KEEPER = address("keeper")

KEEP = bytes.fromhex(
    "5a604052"  # gas → 40
    "5f545f52"  # sload(0) → 0
    "42602052"  # timestamp → 20
    "5f49606052"  # blobhash(0) → 60
    "46608052"  # chainid → 80
    "5f3560a052"
    "6007602060a0a1"  # log1(a0, 20, 7)
    "5f355f55"  # sstore(0, calldata[0])
    "60a05ff3"
)
"""Logs its first word of calldata with topic 7, and returns, in this order: what storage held, the time, the gas left
at the start, the first blob's hash, the chain. Then stores that word."""
REVERT = bytes.fromhex("5f355f5260205ffd")
"""Reverts with the first word of calldata."""
LOOP = bytes.fromhex("5b5f56")


@pytest.fixture(params=[name for name in ENGINES if name == "anvil" or has_pyrevm()])
def engine(request: pytest.FixtureRequest) -> Engine:
    made = new_engine(CHAIN_ID, request.param)
    made.set_time(TIME)
    made.set_balance(SENDER, 10**18)
    made.set_code(KEEPER, KEEP)
    return made


def keep(engine: Engine, value: int, **options: int) -> list[int]:
    outcome = engine.send(Transaction(SENDER, KEEPER, value.to_bytes(32, "big"), **options))
    return words(outcome.output)


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32)]


def test_storage_and_time_last_from_one_transaction_to_the_next(engine: Engine) -> None:
    assert keep(engine, 5)[:2] == [0, TIME]
    assert keep(engine, 6)[:2] == [5, TIME]
    for time in (TIME + 1, TIME + 10**6, 2**40, TIME - 10**6):
        engine.set_time(time)
        assert words(engine.ask(Transaction(SENDER, KEEPER, bytes(32))))[:2] == [6, time]
        assert keep(engine, 6)[:2] == [6, time]


def test_gas_is_that_of_a_cold_chain(engine: Engine) -> None:
    data = (1).to_bytes(32, "big")
    engine.cool()
    fresh = engine.send(Transaction(SENDER, KEEPER, data, gas=100_000))
    assert words(fresh.output)[2] == 100_000 - 21_000 - 31 * 4 - 16 - 2
    engine.cool()
    same = engine.send(Transaction(SENDER, KEEPER, data))
    assert same.gas_used == fresh.gas_used - 20_000 + 100
    engine.cool()
    cleared = engine.send(Transaction(SENDER, KEEPER, bytes(32)))
    refund = 4_800  # taken off what is used
    assert cleared.gas_used == same.gas_used - 100 + 2_900 - (16 - 4) - refund


def test_log_and_return_are_told(engine: Engine) -> None:
    outcome = engine.send(Transaction(SENDER, KEEPER, (9).to_bytes(32, "big")))
    (log,) = outcome.logs
    assert (log.address, words(log.data), [words(topic) for topic in log.topics]) == (KEEPER, [9], [[7]])
    assert words(outcome.output)[4] == CHAIN_ID
    assert outcome.created is None


def test_blobs_are_those_of_the_transaction(engine: Engine) -> None:
    blob = b"\1" * 32
    with_blob = Transaction(SENDER, KEEPER, bytes(32), blobs=(blob,))
    assert words(engine.send(with_blob).output)[3] == int.from_bytes(blob, "big")
    assert words(engine.ask(with_blob))[3] == int.from_bytes(blob, "big")
    assert keep(engine, 0)[3] == 0


def test_contract_is_created_where_it_was_predicted(engine: Engine) -> None:
    for number in range(130):
        predicted = contract_address(SENDER, engine.nonce(SENDER))
        init = bytes.fromhex("6008600c60003960086000f3") + REVERT  # returns what follows
        outcome = engine.send(Transaction(SENDER, None, init))
        assert outcome.created == predicted == to_checksum_address(predicted), number
    assert engine.code(predicted) == REVERT
    assert engine.code(SENDER) == b""


def test_failure_says_why_and_changes_nothing(engine: Engine) -> None:
    looping, reverting = address("looping"), address("reverting")
    engine.set_code(looping, LOOP)
    engine.set_code(reverting, REVERT)
    before = engine.balance(SENDER), engine.nonce(SENDER)
    failing = [
        (Transaction(SENDER, reverting, b"\7" * 32, gas_price=1, value=1), b"\7" * 32),
        (Transaction(SENDER, None, bytes.fromhex("5f5ffd"), value=1), b""),
        (Transaction(SENDER, looping, gas=100_000, gas_price=1), None),
        (Transaction(SENDER, looping, gas=20_999), None),
        (Transaction(SENDER, reverting, value=2 * 10**18), None),
        (Transaction(SENDER, reverting, gas_price=10**18), None),
    ]
    for transaction, output in failing:
        with pytest.raises(Failed) as error:
            engine.send(transaction)
        assert error.value.output == output
        assert error.value.said
        assert read_reason(error.value) == (error.value.said if output is None else output.hex())
        assert (engine.balance(SENDER), engine.nonce(SENDER)) == before


def test_value_moves_and_no_fee(engine: Engine) -> None:
    before = engine.balance(SENDER)
    outcome = engine.send(Transaction(SENDER, address("other"), value=5, gas_price=3))
    assert outcome.gas_used == 21_000
    assert engine.balance(address("other")) == 5
    assert engine.balance(SENDER) == before - 5


def test_restoring_takes_back_all_but_the_clock(engine: Engine) -> None:
    keep(engine, 5)
    for _ in range(3):
        snapshot = engine.snapshot()
        keep(engine, 6)
        engine.set_time(TIME + 100)
        engine.send(Transaction(SENDER, address("other"), value=1))
        engine.restore(snapshot)
        assert words(engine.ask(Transaction(SENDER, KEEPER, bytes(32))))[:2] == [5, TIME + 100]
        assert (engine.balance(SENDER), engine.balance(address("other"))) == (10**18, 0)


def test_chains_are_apart_and_begin_empty(engine: Engine, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.params["engine"]
    keep(engine, 5)
    other = new_engine(1, name)
    other.set_balance(SENDER, 1)
    assert other.code(KEEPER) == b""
    other.set_code(KEEPER, KEEP)
    assert keep(other, 8) == [0, *keep(other, 9)[1:4], 1]
    assert keep(engine, 6)[0] == 5
    del other
    assert new_engine(CHAIN_ID, name).balance(SENDER) == 0


def test_a_full_block_leaves_the_base_fee_at_zero(engine: Engine) -> None:
    burner = address("burner")
    engine.set_code(burner, bytes.fromhex("5b6160005a11156000575800"))
    for _ in range(3):
        engine.send(Transaction(SENDER, burner, bytes.fromhex("00"), gas=GAS_LIMIT))


def test_engine_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert engine_name() == ("pyrevm" if has_pyrevm() else "anvil")
    monkeypatch.setenv(VARIABLE, "anvil")
    assert engine_name() == "anvil"
    monkeypatch.setenv(VARIABLE, "geth")
    with pytest.raises(ValueError, match="'geth'"):
        engine_name()
