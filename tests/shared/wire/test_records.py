"""Records as JSON: what a wallet signs is what the machine checks, for every type."""

import json
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from setoff.shared.codec import eip712, records, signatures
from setoff.shared.codec.layout import Field
from setoff.shared.errors import InputError
from setoff.shared.rules import phases
from setoff.shared.sdk.signer import KeySigner, WalletSigner
from setoff.shared.wire.leg_pages import check_leg_pages, make_leg_pages, read_legs
from setoff.shared.wire.members import parse_json
from setoff.shared.wire.records import decode_record, decode_request, encode_record
from setoff.shared.wire.signing import parse_signature

CHAIN_ID = 31337
VAULT = bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")
KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")


def values(item: Field) -> st.SearchStrategy[int | bytes]:
    """Anything in the range of a field."""
    if item.is_bytes:
        return st.binary(min_size=item.size, max_size=item.size)
    return st.integers(0, 256**item.size - 1)


def bodies() -> st.SearchStrategy[bytes]:
    """Bodies of every signed type with every field anywhere in its range."""
    return st.one_of(
        [
            st.tuples(*[values(item) for item in shape.fields]).map(lambda v, s=shape: records.encode(s.body(*v)))
            for shape in records.SIGNED.values()
        ]
    )


@given(bodies())
def test_digest_is_eth_accounts(body: bytes) -> None:
    message = encode_typed_data(full_message=eip712.typed_data(CHAIN_ID, VAULT, body))
    domain = eip712.domain_separator(CHAIN_ID, VAULT)
    assert message.header == domain
    assert message.body == records.struct_hash(body)


@given(bodies(), st.binary(min_size=32, max_size=32).filter(lambda key: 0 < int.from_bytes(key, "big") < 2**255))
def test_a_wallets_signature_is_ours(body: bytes, key: bytes) -> None:
    wallet = Account.from_key(key)
    ask = lambda data: bytes(wallet.sign_typed_data(full_message=data).signature)  # noqa: E731
    theirs = WalletSigner(bytes.fromhex(wallet.address[2:]), ask).sign(CHAIN_ID, VAULT, body)
    ours = KeySigner(key).sign(CHAIN_ID, VAULT, body)
    digest = eip712.digest(eip712.domain_separator(CHAIN_ID, VAULT), body)
    address = bytes.fromhex(wallet.address[2:])
    assert signatures.recover(digest, theirs) == signatures.recover(digest, ours) == address
    assert KeySigner(key).address == address
    assert theirs == ours  # both sign by RFC 6979


@given(bodies(), st.binary(min_size=64, max_size=64))
def test_reads_back_what_was_written(body: bytes, signature: bytes) -> None:
    payload = json.loads(json.dumps(encode_record(body + signature)))
    assert decode_record(payload, CHAIN_ID, VAULT) == body + signature
    typed = json.loads(json.dumps(eip712.typed_data(CHAIN_ID, VAULT, body)))
    assert decode_record({"typed": typed, "signature": signature.hex()}, CHAIN_ID, VAULT) == body + signature


def legs() -> st.SearchStrategy[list[records.Leg]]:
    leg = st.builds(records.Leg, *[st.integers(0, 2**bits - 1) for bits in (8, 8, 8, 24, 40)])
    leg = leg.filter(lambda leg: leg.flags & (records.TIME_IN_FORCE | records.CANCEL_LEG) != records.FOK)
    return st.lists(leg, min_size=1, max_size=phases.MAX_LEG_PAGES * records.LEGS_PER_PAGE)


@given(legs())
def test_a_bulk_record_travels_with_its_pages(chosen: list[records.Leg]) -> None:
    first, leg_pages = make_leg_pages(chosen)
    record = records.encode(records.BulkBody(1, 2, first)) + bytes(64)
    payload = json.loads(json.dumps(encode_record(record, leg_pages)))
    assert decode_request(payload, CHAIN_ID, VAULT) == (record, leg_pages)
    read = read_legs(leg_pages)
    assert read == chosen[: len(read)] and not any(map(any, chosen[len(read) :]))
    for wrong in (
        leg_pages[1:],
        leg_pages[:-1],
        (*leg_pages, leg_pages[0]),
        (*leg_pages[:-1], bytes(124)),
        (*leg_pages[:-1], leg_pages[-1] + b"0"),
    ):
        with pytest.raises(InputError, match="wrong_leg_page"):
            check_leg_pages(record, wrong)
    with pytest.raises(InputError, match="wrong_leg_page"):
        check_leg_pages(records.encode_crank(1), leg_pages)


def test_only_so_many_legs_at_once() -> None:
    for count in (0, phases.MAX_LEG_PAGES * records.LEGS_PER_PAGE + 1):
        with pytest.raises(InputError, match="malformed_record"):
            make_leg_pages([records.Leg(0, 1, 1, 1, 1)] * count)
    with pytest.raises(InputError, match="of its own"):
        make_leg_pages([records.Leg(records.FOK, 1, 1, 1, 1)])


def test_a_crank_needs_no_signature() -> None:
    crank = records.encode_crank(7)
    assert encode_record(crank) == {"typed": {"type": "Crank", "message": {"market": 7}}}
    assert decode_request(encode_record(crank), CHAIN_ID, VAULT) == (crank, ())
    with pytest.raises(InputError, match="malformed_json"):
        decode_request(encode_record(crank) | {"signature": "0x"}, CHAIN_ID, VAULT)


def test_large_integers_are_strings() -> None:
    body = records.encode(records.TransferBody(1, 2**53, 2, 2**53 - 1))
    message = encode_record(body + bytes(64))["typed"]["message"]
    assert message == {"account": 1, "nonce": str(2**53), "peer": 2, "amount": 2**53 - 1}


def test_makes_high_s_low() -> None:
    body = records.encode(records.CancelBody(1, 1, 1))
    digest = eip712.digest(eip712.domain_separator(CHAIN_ID, VAULT), body)
    short = signatures.sign(digest, KEY)
    word = int.from_bytes(short[32:], "big")
    s, parity = signatures.CURVE_ORDER - (word & (2**255 - 1)), 1 - (word >> 255)
    long = short[:32] + s.to_bytes(32, "big") + bytes([27 + parity])
    assert parse_signature("0x" + long.hex()) == short


@pytest.mark.parametrize("word", ["00" * 32, "ff" * 32])
@pytest.mark.parametrize("at", [0, 1])
def test_refuses_numbers_beyond_the_curve(word: str, at: int) -> None:
    words = ["11" * 32, "11" * 32]
    words[at] = word
    with pytest.raises(InputError) as caught:
        parse_signature("".join(words) + "1b")
    assert caught.value.reason == "bad_signature"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["typed", "signature", "type", "message", "domain", "account", "nonce", "chainId"])
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_comes_is_a_record_or_an_input_error(value: Any) -> None:
    try:
        payload = parse_json(json.dumps(value).encode())
        assert len(decode_record(payload, CHAIN_ID, VAULT)) == records.RECORD_BYTES
    except InputError:
        pass


@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_json_or_an_input_error(data: bytes) -> None:
    try:
        assert isinstance(parse_json(data), dict)
    except InputError as error:
        assert error.reason == "malformed_json"
