"""Bodies by name of their type: every field in its place, the agent only where the type has one."""

import pytest

from setoff.shared.codec import eip712
from setoff.shared.errors import InputError
from setoff.shared.sdk.bodies import make_body
from setoff.shared.wire.records import SIGNED

ACCOUNT, NONCE, AGENT = 3, 2**40, 7
OF_ACCOUNTS = {name: kind for name, kind in SIGNED.items() if kind.fields[0].name == "account"}
BY_AGENTS = {name for name, kind in OF_ACCOUNTS.items() if kind.fields[-1].name == "agent"}
BY_OWNERS = OF_ACCOUNTS.keys() - BY_AGENTS


@pytest.mark.parametrize("name", sorted(BY_AGENTS | BY_OWNERS))
def test_every_field_stands_in_its_place(name: str) -> None:
    between = SIGNED[name].fields[2 : -1 if name in BY_AGENTS else None]
    values = [bytes([number]) * item.size if item.is_bytes else number for number, item in enumerate(between, 1)]
    body = make_body(name, ACCOUNT, NONCE, AGENT, *values)
    shown = eip712.typed_data(0, bytes(20), body)
    expected = dict(zip((item.name for item in between), values, strict=True))
    expected |= {"account": ACCOUNT, "nonce": NONCE} | ({"agent": AGENT} if name in BY_AGENTS else {})
    assert (shown["primaryType"], len(body)) == (name, 60)
    assert {
        key: bytes.fromhex(value[2:]) if isinstance(value, str) else value for key, value in shown["message"].items()
    } == expected


@pytest.mark.parametrize(
    ("name", "account", "fields", "reason"),
    [
        ("Withdraw", ACCOUNT, (2**128,), "amount_out_of_range"),
        ("Withdraw", ACCOUNT, (-1,), "amount_out_of_range"),
        ("Withdraw", 2**32, (1,), "unknown_account"),
        ("Amend", ACCOUNT, (1, 2**32, 1), "price_out_of_range"),
        ("Cancel", ACCOUNT, (2**16, 0), "order_slot_out_of_range"),
    ],
)
def test_refuses_what_is_beyond_its_field(name: str, account: int, fields: tuple[int, ...], reason: str) -> None:
    with pytest.raises(InputError) as refusal:
        make_body(name, account, NONCE, 0, *fields)
    assert refusal.value.reason == reason
