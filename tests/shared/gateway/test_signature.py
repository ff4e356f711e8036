"""Whose request it is: as hyperliquid-python-sdk signs it."""

import time
from pathlib import Path
from typing import Any

import eth_account
import pytest
from hyperliquid.utils.signing import action_hash, sign_l1_action

from setoff.shared.codec import signatures
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import DataError
from setoff.shared.gateway.refusals import BotError, Misshapen
from setoff.shared.gateway.signature import NONCES, Bot, hash_action

KEY = keccak(b"a bot's key")
ADDRESS = signatures.address_of(KEY)
WALLET = eth_account.Account.from_key(KEY)
VAULT = "0x" + "1f" * 20
ACTION: Any = {
    "type": "order",
    "orders": [{"a": 0, "b": True, "p": "77990", "s": "0.01", "r": False, "t": {"limit": {"tif": "Gtc"}}, "c": None}],
    "grouping": "na",
}


def now() -> int:
    return time.time_ns() // 1_000_000


@pytest.mark.parametrize("vault", [None, VAULT])
@pytest.mark.parametrize("expires", [None, 2_000_000_000_000])
@pytest.mark.parametrize("is_mainnet", [True, False])
def test_what_the_sdk_signs_is_the_bots_own(vault: str | None, expires: int | None, is_mainnet: bool) -> None:
    bot, other = Bot(ADDRESS), Bot(bytes(20))
    nonce = now()
    signature = sign_l1_action(WALLET, ACTION, vault, nonce, expires, is_mainnet)
    raw = None if vault is None else bytes.fromhex(vault[2:])
    assert hash_action(ACTION, nonce, raw, expires) == action_hash(ACTION, vault, nonce, expires)
    bot.check(ACTION, nonce, signature, raw, expires)
    with pytest.raises(BotError, match="User or API Wallet 0x"):
        other.check(ACTION, nonce, signature, raw, expires)


@pytest.mark.parametrize("changed", [ACTION | {"grouping": "normalTpsl"}, {**ACTION, "orders": []}])
def test_a_signature_under_another_action_is_nobodys(changed: Any) -> None:
    nonce = now()
    signature = sign_l1_action(WALLET, ACTION, None, nonce, None, True)
    with pytest.raises(BotError, match="does not exist"):
        Bot(ADDRESS).check(changed, nonce, signature, None, None)


def test_a_request_counts_once_and_not_for_ever() -> None:
    bot, first = Bot(None), now()
    bot.check(ACTION, first, {}, None, None)
    for nonce in (first, first - 3 * 86_400_000, first + 2 * 86_400_000):
        with pytest.raises(BotError, match="Invalid nonce"):
            bot.check(ACTION, nonce, {}, None, None)
    for nonce in range(first + 1, first + 1 + NONCES):
        bot.check(ACTION, nonce, {}, None, None)
    with pytest.raises(BotError, match="Invalid nonce"):
        bot.check(ACTION, first - 1, {}, None, None)
    with pytest.raises(BotError, match="Action expired"):
        bot.check(ACTION, first + 5000, {}, None, first - 1)


def test_a_request_counts_once_after_a_restart_too(tmp_path: Path) -> None:
    before = now() - 1000
    bot, first = Bot(None, tmp_path / "nonces"), now()
    with pytest.raises(BotError, match="before the gateway's first start"):
        bot.check(ACTION, before, {}, None, None)
    bot.check(ACTION, first, {}, None, None)
    again = Bot(None, tmp_path / "nonces")
    for nonce in (before, first):
        with pytest.raises(BotError, match="Invalid nonce"):
            again.check(ACTION, nonce, {}, None, None)
    again.check(ACTION, first + 1, {}, None, None)
    for nonce in range(first + 2, first + 2 + NONCES):
        again.check(ACTION, nonce, {}, None, None)
    with pytest.raises(BotError, match="was used"):
        Bot(None, tmp_path / "nonces").check(ACTION, first + 1, {}, None, None)
    (tmp_path / "nonces").write_text("[")
    with pytest.raises(DataError, match="cannot be read"):
        Bot(None, tmp_path / "nonces")


@pytest.mark.parametrize("signature", [{}, {"r": "0x1", "s": "0x1", "v": 29}, {"r": "x", "s": "0x1", "v": 27},
                                       {"r": "0x" + "f" * 65, "s": "0x1", "v": 27}])  # fmt: skip
def test_what_is_no_signature_is_refused(signature: Any) -> None:
    with pytest.raises(Misshapen):
        Bot(ADDRESS).check(ACTION, now(), signature, None, None)
