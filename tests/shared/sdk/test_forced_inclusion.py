"""ForcedInclusion actions through L1: who signs, who sends, who pays; what becomes of them, read from L1 alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.chains.town import Town, in_background, open_town

from setoff.deploy.cli import main as cli
from setoff.deploy.devnet.anvil import dev_keys
from setoff.deploy.simulation.sample_traffic import agent_key, trader_key
from setoff.shared import errors
from setoff.shared.codec import records, signatures
from setoff.shared.errors import InputError, StateError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.endpoint import Reverted
from setoff.shared.rules import phases
from setoff.shared.sdk.forced_inclusion import NONCE_GAP, Forced, ForcedInclusion, describe
from setoff.shared.sdk.replay import Replay
from setoff.shared.sdk.signer import KeySigner
from setoff.shared.state import keys


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


def post(town: Town) -> None:
    """The operator does its duty."""
    assert town.exchange.post(town.reader.batch_count(), town.waiting).succeeded


def outcome(town: Town, inclusion: ForcedInclusion, forced: Forced) -> str:
    post(town)
    return describe(inclusion.wait(forced, timeout=0))


def test_signed_with_one_key_and_paid_with_another(town: Town) -> None:
    payer = town.anvil.connect(7)
    inclusion = ForcedInclusion(payer, town.deployment, KeySigner(trader_key(3)))
    before = town.stranger.balance(signatures.address_of(trader_key(3)))
    forced = inclusion.send(inclusion.order(2, records.BUY, 495, 3))
    assert forced.due >= town.now + 1
    assert outcome(town, inclusion, forced).startswith("accepted in batch")
    account = inclusion.account()
    order_slot = next(
        n for n in range(255, -1, -1) if inclusion.replay.machine.state.order(keys.order_handle(account, n)).size
    )
    assert order_slot == keys.MAX_ORDER_SLOT
    forced = inclusion.send(inclusion.amend(order_slot, 495, 1))
    assert "accepted" in outcome(town, inclusion, forced)
    forced = inclusion.send(inclusion.cancel(order_slot))
    assert "accepted" in outcome(town, inclusion, forced)
    assert town.stranger.balance(signatures.address_of(trader_key(3))) == before


def test_two_in_a_row_have_two_nonces_and_leave_the_operator_room(town: Town) -> None:
    inclusion = town.inclusion(2)
    top = inclusion.leaf(2).nonce_top
    sent = [inclusion.send(inclusion.cancel_all()), inclusion.send(inclusion.cancel_all())]
    # Another process of the same trader sees them in the queue.
    sent.append(town.inclusion(2).send(town.inclusion(2).cancel_all()))
    post(town)
    assert [inclusion.wait(forced, timeout=0).outcome for forced in sent] == [errors.ACCEPTED] * 3
    assert inclusion.leaf(2).nonce_top == top + NONCE_GAP + 3


def test_nobody_else_leads_the_nonces_astray(town: Town) -> None:
    """Anybody may queue messages that name the account, with nonces and sessions of his choice."""
    inclusion = town.inclusion(2)
    top, session = inclusion.leaf(2).nonce_top, inclusion.leaf(2).session
    liar = town.inclusion(3)
    far = records.encode(records.CancelAllBody(2, top + 60_000))
    liar.send(far)
    liar.send(records.encode(records.SetAgentBody(2, top + 60_000, 1, bytes(20), 0, session + 60_000)))
    liar.send_record(far + bytes(64))
    liar.send_record(town.traffic.sign(far, trader_key(3)))
    sent = [inclusion.send(inclusion.cancel_all()), inclusion.send(inclusion.set_agent(1, bytes(20), 0))]
    post(town)
    assert [inclusion.wait(forced, timeout=0).outcome for forced in sent] == [errors.ACCEPTED] * 2
    assert inclusion.leaf(2).nonce_top == top + NONCE_GAP + 2
    assert session < inclusion.leaf(2).session < session + 200


def test_a_right_is_given_and_taken_away_twice_in_one_queue(town: Town) -> None:
    """The sessions of what waits are known, so that each comes after the one before."""
    owner = town.inclusion(2)
    address = signatures.address_of(agent_key(2, 1))
    sent = [owner.send(owner.set_agent(1, key, town.now + 10_000)) for key in (address, bytes(20), address)]
    sent.append(town.inclusion(2).send(town.inclusion(2).set_agent(1, bytes(20), 0)))
    post(town)
    assert [owner.wait(forced, timeout=0).outcome for forced in sent] == [errors.ACCEPTED] * 4
    assert owner.replay.machine.state.agent(2, 1).address == bytes(20)


def test_a_position_is_closed_at_a_bound_and_a_refusal_has_its_reason(town: Town) -> None:
    inclusion = town.inclusion(3)
    with pytest.raises(InputError, match="not_reducing"):
        inclusion.close(1)
    with pytest.raises(InputError, match="unknown_market"):
        inclusion.market(9)
    seller = town.inclusion(2)
    seller.send(seller.order(2, records.SELL, 505, 100))
    size = next(p.size for p in inclusion.leaf(3).positions if p.market == 2)
    assert size < 0
    forced = inclusion.send(inclusion.close(2, bound=505))
    assert "accepted" in outcome(town, inclusion, forced)
    assert next(p.size for p in inclusion.leaf(3).positions if p.market == 2) == size + 100
    forced = inclusion.send(inclusion.withdraw(10**12))
    assert outcome(town, inclusion, forced).endswith("insufficient_margin")


def test_an_agent_forces_in_its_own_name_and_moves_no_money(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    key = agent_key(1, 2)
    address = signatures.address_of(key)
    town.anvil.l1.request("anvil_setBalance", "0x" + address.hex(), hex(10**18))
    town.anvil.mine()  # no block holds what was set before
    owner = town.inclusion(1)
    forced = owner.send(owner.set_agent(2, address, town.now + 10_000))
    assert "accepted" in outcome(town, owner, forced)
    l1 = L1(town.anvil.url, key, chain_id=town.deployment.chain_id)
    agent = ForcedInclusion(l1, town.deployment, KeySigner(key), as_sender=True, principal=1, agent=2)
    assert "accepted" in outcome(town, agent, agent.send(agent.cancel_all()))
    assert "bad_signature" in outcome(town, agent, agent.send(agent.withdraw(5)))
    words = f"force withdraw 1 --account 1 --agent 2 --rpc {town.anvil.url} --deployment {town.path} --key {key.hex()}"
    assert cli.main(words.split()) == 1
    assert "an agent trades" in capsys.readouterr().err


def test_only_the_signer_itself_is_a_sender(town: Town) -> None:
    with pytest.raises(InputError, match="bad_signature"):
        ForcedInclusion(town.stranger, town.deployment, KeySigner(trader_key(1)), as_sender=True)
    stranger = dev_keys()[5]
    inclusion = ForcedInclusion(town.stranger, town.deployment, KeySigner(stranger))
    with pytest.raises(InputError, match="unknown_account"):
        inclusion.account()
    with pytest.raises(Reverted, match="too_early"):
        inclusion.wind_down()


def test_what_cannot_come_unsigned_is_not_sent(town: Town) -> None:
    inclusion = town.inclusion(1)
    waiting = town.waiting
    for body in (records.encode_crank(1)[:60], bytes(60), bytes(59), town.traffic.deposit(1, 5)):
        with pytest.raises(InputError, match="malformed_record"):
            inclusion.send(body)
    assert town.waiting == waiting


def test_a_record_is_printed_for_somebody_else_to_send(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    where = f"--rpc {town.anvil.url} --deployment {town.path}"
    assert cli.main(f"force transfer 2 1.5 --print {where} --key {trader_key(4).hex()}".split()) == 0
    record = capsys.readouterr().out.strip()
    before = town.inclusion(4).leaf(2).collateral
    command = in_background(f"force record {record} {where} --payer {dev_keys()[8].hex()}")
    while not town.waiting:
        command.join(0.05)
    post(town)
    command.join(60)
    assert command.code == 0
    assert town.inclusion(4).leaf(2).collateral == before + 1_500_000
    # Sent once more it is the same record.
    inclusion = town.inclusion(4)
    forced = inclusion.send_record(bytes.fromhex(record[2:]))
    assert outcome(town, inclusion, forced).endswith("nonce_used")


def test_a_withdrawal_is_not_paid_before_it_is_confirmed(town: Town) -> None:
    inclusion = town.inclusion(4)
    index = inclusion.replay.machine.regs.withdrawals
    forced = inclusion.send(inclusion.withdraw(7))
    assert "accepted" in outcome(town, inclusion, forced)
    with pytest.raises(InputError, match="not_found"):
        inclusion.pay(index)
    with pytest.raises(StateError, match="pending"):
        inclusion.wait(Forced(10**6, 0), timeout=0)


def test_a_replay_begins_anew_after_a_reorg(town: Town) -> None:
    reader = ChainReader(town.stranger, town.deployment)
    replay = Replay(reader)
    snapshot = town.anvil.l1.request("evm_snapshot")
    inclusion = town.inclusion(2)
    forced = inclusion.send(inclusion.cancel_all())
    post(town)
    replay.advance()
    assert replay.result(forced.index) is not None
    count = replay.batches
    town.anvil.l1.request("evm_revert", snapshot)
    town.exchange.reconnect()
    post(town)
    replay.advance()
    assert replay.batches == count
    assert replay.result(forced.index) is None
    again = Replay(reader)
    again.advance()
    assert again.machine.hash() == replay.machine.hash()


def test_a_parked_record_is_waited_for(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a chain only millions of steps fill a batch; here its cap is lowered for all who run it."""
    inclusion, other = town.inclusion(2), town.inclusion(4)
    inclusion.replay.advance()
    other.replay.advance()
    monkeypatch.setattr(phases, "BATCH_STEP_CAP", phases.INPUT_STEP_BOUND)
    sent = [
        inclusion.send(inclusion.cancel_all()),
        inclusion.send(inclusion.withdraw(10**12)),
        inclusion.send(inclusion.backstop_deposit(5)),
    ]
    post(town)
    with pytest.raises(StateError, match=r"message .* is parked in batch .*, input 0: .* a forced crank 0"):
        inclusion.wait(sent[0], timeout=0)
    other.replay.advance()
    assert [other.replay.result(forced.index).outcome for forced in sent] == [errors.PARKED] * 3
    # Who remembers nothing, as another process of the same trader, sees the nonces of what is parked.
    inclusion._nonces.clear()
    top = max(records.get_head(records.decode_forced(body).body)[2] for body in other.replay.waiting())
    assert len(other.replay.waiting()) == 3 and records.get_head(inclusion.cancel_all())[2] == top + 1
    monkeypatch.undo()
    cranks = [other.send_record(records.encode_crank(0)) for _ in range(2)]
    last = other.send(other.cancel_all())
    post(town)
    assert [errors.OUTCOMES[inclusion.wait(forced, timeout=0).outcome] for forced in sent] == [
        "accepted",
        "insufficient_margin",
        "accepted",
    ]
    assert [inclusion.wait(forced, timeout=0).input_index for forced in sent] == [0, 1, 2]
    with pytest.raises(StateError, match="parked"):
        other.wait(last, timeout=0)
    assert [describe(other.wait(crank, timeout=0)).split(" in ")[0] for crank in cranks] == ["used", "used"]
    other.send_record(records.encode_crank(0))
    post(town)
    assert other.wait(last, timeout=0).outcome == errors.ACCEPTED


def test_help_says_what_it_costs_and_what_is_final(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["force", "--help"])
    shown = capsys.readouterr().out
    for word in ("--as-sender", "force delay", "force crank 0", "wind-down", "force pay", "L1 alone"):
        assert word in shown


def test_bad_words_are_explained(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for line in ("force", "force record 0x12", "force withdraw 1.1234567", "force order buy 1 2"):
        with pytest.raises(SystemExit):
            cli.main(line.split())
    said = capsys.readouterr().err
    assert "ACTION" in said and "not a record" in said and "no amount" in said and "price" in said
    missing = tmp_path / "none.json"
    assert cli.main(["force", "crank", "1", "--key", "11" * 32, "--deployment", str(missing)]) == 2
