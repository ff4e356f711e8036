"""`setoff inspect`: what L1 holds, in words, without a word of the operator's."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.chains.town import Followed, Town, open_town

from setoff.deploy.cli.advice import OUTCOMES as ADVICE
from setoff.deploy.cli.advice import find_advice
from setoff.deploy.cli.inspection.words import describe_input
from setoff.deploy.cli.main import main
from setoff.deploy.simulation.faults import plan_fault
from setoff.shared.codec import records
from setoff.shared.dispute.strategy import Policy
from setoff.shared.dispute.trace_provider import ExecutedEpoch
from setoff.shared.errors import OUTCOMES, SERVICE_REASONS, InputError, SetoffError
from setoff.shared.l1.player import CourtPlayer
from setoff.shared.machine.epoch import EpochRun
from setoff.shared.machine.leaf_names import FORMS, name_leaf, parse_leaf

Inspect = Callable[..., str]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as town:
        yield town


@pytest.fixture
def inspect(town: Town, capsys: pytest.CaptureFixture[str]) -> Inspect:
    """Runs the command; its output."""

    def run(line: str, code: int = 0) -> str:
        where = ["--rpc", town.anvil.url, "--deployment", str(town.path)]
        assert main(["inspect", *line.split(), *where]) == code
        captured = capsys.readouterr()
        return captured.out or captured.err

    return run


def test_a_message_that_waits_is_refused_or_is_paid(town: Town, inspect: Inspect) -> None:
    assert "a deposit of 10.000000 for account 1 of 0x" in inspect("message 0")
    inclusion = town.inclusion(3)
    first = inclusion.send(inclusion.withdraw(1_500_000))
    last = inclusion.send(inclusion.withdraw(10**12))
    said = inspect(f"message {first.index}")
    assert f"message {first.index}: a forced withdrawal of 1.500000, by account 3, in the name of its sender 0x" in said
    assert "no batch has consumed it yet" in said and "the operator may leave it out until" in said
    town.anvil.advance(21)
    late = inspect(f"message {last.index}", code=1)
    assert "1 messages are before it" in late and "no batch may leave it out" in late
    assert "then `setoff force post`" in late
    assert town.exchange.post(town.reader.batch_count(), town.waiting).succeeded
    granted = inspect(f"message {first.index}")
    assert "accepted in batch 2, input 0" in granted and "it is withdrawal 0; once its epoch is confirmed" in granted
    refused = json.loads(inspect(f"message {last.index} --json", code=1))
    assert (refused["state"], refused["outcome"]) == ("refused", "insufficient_margin")
    assert refused["next"] == ADVICE["insufficient_margin"]
    assert "there is no message 99" in inspect("message 99", code=1)


def test_a_batch_and_its_records(inspect: Inspect) -> None:
    told = inspect("batch 0 --inputs")
    assert "batch 0 of epoch 0" in told and "records 0 to 10" in told and "in calldata" in told
    assert (
        "a report of 1000 ticks for market 1" in told and "order to buy 500 lots of market 1 at 1000 ticks, gtc" in told
    )
    assert "nobody has claimed one" in told
    facts = json.loads(inspect("batch 1 --json"))
    assert facts["records"] == [11, 12] and facts["agrees"] is None and facts["inputs"][0]["outcome"] == "accepted"
    record = inspect("record 10")
    assert "a transfer of 0.777777 to sub-account 2 of account 1, by account 1" in record and "accepted" in record
    assert "there is no record 12" in inspect("record 12", code=1)
    assert "batch 77 is not on L1" in inspect("batch 77", code=1)


def test_the_steps_of_an_order_and_what_each_changes(town: Town, inspect: Inspect) -> None:
    count = json.loads(inspect("batch 0 --json"))["messages"][1]
    told = inspect(f"step 0 {count + 4}")
    assert "an order to sell 500 lots of market 1" in told and "step 0, fetch" in told and "outcome: accepted" in told
    assert "fill" in told and "positions.0.size: 0 → -500" in told
    one = json.loads(inspect(f"step 0 {count + 4} 3 --json"))
    assert len(one["steps"]) == 1 and one["steps"][0]["position"] == (count + 4 << 20) + 3
    town.followed.follow()
    run = town.followed.executed(0).run
    assert one["steps"][0]["end"] == "0x" + run.leaf(one["steps"][0]["position"]).hex()
    assert "steps, from 0" in inspect(f"step 0 {count + 4} 999", code=1)
    assert "inputs, from 0" in inspect("step 0 999", code=1)


def test_leaves_by_name_and_by_key(inspect: Inspect) -> None:
    told = inspect("leaf account 2")
    assert "account 2, after batch" in told and "positions.0.size" in told and "-500" in told
    assert "account 2, after batch 0" in inspect("leaf account 2 --batch 0")
    fields = json.loads(inspect("leaf level 1 buy 900 --json"))["fields"]
    assert fields["size"] == 100
    key = json.loads(inspect("leaf market 1 --json"))["key"]
    assert inspect(f"leaf {key}") == inspect("leaf market 1")
    assert "is not there" in inspect("leaf account 77")
    assert "a leaf is named as one of" in inspect("leaf house 1", code=1)
    assert "batch 99 is not on L1" in inspect("leaf terms --batch 99", code=1)


def test_a_hash_is_found_wherever_it_is(town: Town, inspect: Inspect) -> None:
    town.followed.follow()
    end = town.followed.executed(0).run.end
    town.player.step()
    town.anvil.mine()
    told = inspect(f"root 0x{end.hex()}")
    assert "the machine hash after batch 0" in told and "the true end of epoch 0" in told
    assert "as claimed by 0x" in told and "which is true" in told
    assert "the hash of batch 1" in inspect(f"root 0x{town.reader.batch_hash(1).hex()}")
    assert "nothing of this exchange has this hash" in inspect("root 0x" + "12" * 32, code=1)
    epoch = json.loads(inspect("epoch 0 --json"))
    assert epoch["agrees"] is True and epoch["end"] == f"0x{end.hex()}" and epoch["claims"][0]["is_true"]
    assert "of epoch 9 are not all posted" in inspect("epoch 9", code=1)
    claimed = json.loads(inspect("game --json"))
    assert claimed["disputes"][0]["verdict"] == "true" and claimed["disputes"][0]["state"] == "claimed"
    assert "(true)" in inspect("game 0") and "no claim about epoch 9" in inspect("game 9")


class FalseEnds:
    """Every epoch, with an end in which account 1 owns a unit more than it does."""

    def __init__(self, town: Town) -> None:
        self._followed = Followed(town.reader)

    def executed(self, epoch: int) -> ExecutedEpoch | None:
        followed = self._followed
        followed.follow()
        true = followed.executed(epoch)
        if true is None:
            return None
        count = followed.reader.deployment.epoch_batches
        batches = [followed.reader.batch(number) for number in range(epoch * count, (epoch + 1) * count)]
        assert isinstance(true.run, EpochRun)
        start = true.run.machine_before(0)
        queue_hash = followed.reader.queue_hash_at(batches[0].header.first_message)
        stepper = plan_fault("wrong-root", start, batches)
        return replace(true, run=EpochRun(start, batches, queue_hash, stepper))


def test_a_lie_and_the_dispute_about_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_town(tmp_path) as town:
        liar = CourtPlayer(
            town.anvil.connect(7), town.deployment.court, FalseEnds(town), Policy(claim_after=0),
            first_block=town.deployment.block, spread=0.0,
        )  # fmt: skip
        where = ["--rpc", town.anvil.url, "--deployment", str(town.path)]
        liar.step()
        town.anvil.mine()
        assert main(["inspect", "game", "0", *where]) == 1
        told = capsys.readouterr().out
        assert "lied about epoch 0; nobody's bond is on the truth" in told and "a false end is claimed" in told
        assert main(["verify", "--batch", "0", *where]) == 1
        told = capsys.readouterr().out
        assert "DIFFERS with the chain" in told and "nobody has shown a history of it" in told
        assert main(["inspect", "batch", "0", "--json", *where]) == 1
        assert json.loads(capsys.readouterr().out)["agrees"] is False
        assert main(["inspect", "epoch", "0", *where]) == 1
        told = capsys.readouterr().out
        assert "epoch 0: batch 0, 18 inputs" in told and "claimed a FALSE end at 20" in told
        assert ": claimed, to be disputed until 20" in told
        town.followed.follow()
        for player in (town.player, liar, town.player):
            player.step()
            town.anvil.mine()
        assert main(["inspect", "game", "--json", *where]) in (0, 1)
        (dispute,) = [each for each in json.loads(capsys.readouterr().out)["disputes"] if each["epoch"] == 0]
        assert dispute["verdict"] == "false" and dispute["state"] == "disputed"
        assert {side["verdict"] for side in dispute["sides"]} == {"true", "false"}
        root = next(side["root"] for side in dispute["sides"] if side["verdict"] == "true")
        assert main(["inspect", "root", root, *where]) == 0
        assert "a history of epoch 0, joined by 0x" in capsys.readouterr().out
        assert main(["verify", "0", *where]) == 1
        told = capsys.readouterr().out
        assert "leaves the truth somewhere from batch 0, input" in told and "L1 has narrowed it down" in told
        for player in (liar, town.player) * 5:
            player.step()
            town.anvil.mine()
        assert main(["verify", "0", *where]) in (0, 1)
        told = capsys.readouterr().out
        assert "leaves the truth at this step:" in told and "the truth    " in told, told
        assert "machine before" in told and "the same" in told and "it hashes to something else" in told


@pytest.mark.parametrize("form", FORMS)
def test_a_leafs_name_is_its_key_in_words(form: str) -> None:
    words = [form, *(each.split("|")[0] if "|" in each else "3" for each in FORMS[form].split())]
    assert name_leaf(parse_leaf(words)).split() == words
    with pytest.raises(InputError, match=r"a leaf is named|no number"):
        parse_leaf([*words, "x"])


def test_every_kind_of_input_has_words() -> None:
    for number, kind in records.TYPES.items():
        said = describe_input(bytes([number]) + bytes(records.RECORD_BYTES - 1), is_message=number >= 0x80)
        assert said.startswith(("a ", "an ", "the ")), kind
    assert describe_input(b"\xfe" + bytes(123), is_message=True) == "bytes that are no record: type 254"


def test_there_is_advice_for_every_reason() -> None:
    assert set(ADVICE) == set(OUTCOMES[1:])
    for reason in SERVICE_REASONS:
        assert find_advice(SetoffError(reason)), reason
