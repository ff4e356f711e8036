"""However a command ends that has sent something: it says what, and advises nobody to send it again."""

import json
from functools import partial
from typing import Any

import pytest
from tests.support.chains.exchange import call_data
from tests.support.processes.commands import Command
from tests.support.processes.running_operator import Running

from setoff.deploy.cli import main as cli
from setoff.deploy.cli.connections import tell_transactions
from setoff.deploy.cli.exit_codes import ANSWER_IS_NO, INTERRUPTED, NOT_POSSIBLE, PENDING
from setoff.deploy.cli.sent import SENT
from setoff.deploy.devnet.anvil import CHAIN_ID, Anvil, dev_keys
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.sdk.answers import Unavailable
from setoff.shared.sdk.client import SetoffClient


def fail_afterwards(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """What the client is asked about its account once a record was taken."""
    ask = SetoffClient.account

    async def account(client: SetoffClient, *of: Any) -> Any:
        if client.last_taken is not None:
            raise error
        return await ask(client, *of)

    monkeypatch.setattr(SetoffClient, "account", account)


@pytest.mark.parametrize(
    "line", ["backstop deposit 50", "backstop deposit 50 --json", f"agent set 1 0x{'7' * 40} --days 1"]
)
async def test_what_was_taken_is_said_and_not_to_be_tried_again(
    exchange: Running, setoff: Command, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    fail_afterwards(monkeypatch, Unavailable("not_ready", "the exchange does not answer", is_unsent=True))
    said = await setoff(line, code=PENDING)
    assert "sent: record " in said and " was taken, in batch " in said
    assert "next: do not send it again before you have looked" in said


async def test_a_transfer_that_is_done_is_done(
    exchange: Running, setoff: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_afterwards(monkeypatch, Unavailable("not_ready"))
    said = await setoff("transfer 100 .3")
    assert "moved to account" in said and "free are left" not in said


async def test_who_breaks_it_off_is_told_what_was_sent(
    exchange: Running, setoff: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_afterwards(monkeypatch, KeyboardInterrupt())
    assert "sent: record " in await setoff("backstop deposit 50", code=INTERRUPTED)
    monkeypatch.undo()

    async def break_off(client: SetoffClient, payload: dict[str, Any]) -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(SetoffClient, "_post_record", break_off)
    assert " is not answered yet" in await setoff("transfer 100 .3", code=INTERRUPTED)


def test_transactions_are_told_by_hash(anvil: Anvil, capsys: pytest.CaptureFixture[str]) -> None:
    silent = ChainError("rpc_unreachable", "nobody")
    SENT.clear()
    l1 = L1(anvil.url, dev_keys()[3], chain_id=CHAIN_ID)
    for each in (l1, L1(anvil.url)):
        SENT.follow(partial(tell_transactions, each))
    approved = l1.transact(b"\xaa" * 20, call_data("approve(address,uint256)", b"\xbb" * 20, 1))
    assert cli.tell_error(silent, as_json=False) == NOT_POSSIBLE and not SENT.describe()
    assert approved.succeeded and "sent: " not in capsys.readouterr().err
    anvil.l1.request("evm_setAutomine", False)
    sent = l1.send(b"\xaa" * 20, value=1, gas=21_000)
    assert cli.tell_error(silent, as_json=True) == PENDING
    told = f"transaction 0x{sent.hex()} is on its way, and was seen in no block"
    out, err = capsys.readouterr()
    assert json.loads(out)["sent"] == [told] and f"sent: {told}\n" in err
    assert cli.tell_error(ChainError("not_the_owner"), as_json=False) == ANSWER_IS_NO
    anvil.mine()
    assert l1.wait(sent).succeeded and SENT.describe() == [f"transaction 0x{sent.hex()} is in a block"]
    SENT.clear()
    assert cli.tell_error(silent, as_json=False) == NOT_POSSIBLE
