"""What a request means: the exchange as it may be read now, and the numbers, markets and accounts that it names."""

from __future__ import annotations

from aiohttp import web

from setoff.operator.bridge.desk import Desk
from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.sequencer import Status
from setoff.shared.errors import InputError, StateError
from setoff.shared.state import keys


async def read_exchange(desk: Desk) -> Exchange:
    """The exchange, with all that was acknowledged. Raises StateError("not_ready") while the state in memory may not be
    the durable one."""
    if not desk.is_fresh:
        await desk.refresh()
    if desk.status is not Status.READY:
        raise StateError("not_ready", f"the sequencer is {desk.status.value}")
    return desk.exchange


def find_market(exchange: Exchange, text: str) -> int:
    """A listed market by its number. Raises InputError("not_found")."""
    market = parse_number(text, "market")
    if not 1 <= market <= exchange.machine.regs.markets:
        raise InputError("not_found", f"there is no market {market}")
    return market


def find_account(exchange: Exchange, text: str) -> int:
    """An account by its id or its owner's address, with ".N" behind it its sub-account N.

    Raises InputError("not_found").
    """
    name, _, sub = text.partition(".")
    if name.startswith("0x"):
        try:
            account = exchange.accounts.get(bytes.fromhex(name[2:]), 0)
        except ValueError:
            raise InputError("missing_field", "an address is 0x and 40 hexadecimal digits") from None
    else:
        account = parse_number(name, "account")
    if sub:
        account = keys.sub_account(keys.get_master(account), parse_number(sub, "account"))
    if not 1 <= keys.get_master(account) <= exchange.machine.regs.accounts or keys.get_sub(account) > keys.MAX_SUB:
        raise InputError("not_found", f"there is no account {text[:42]}")
    return account


def parse_number(text: str, what: str) -> int:
    """A whole number of at most 18 digits. Raises InputError("missing_field")."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InputError("missing_field", f"'{what}' is a number")
    return int(text)


def parse_query(request: web.Request, name: str, default: int, highest: int) -> int:
    """A number in the query string, cut off at `highest`. Raises InputError("missing_field")."""
    text = request.query.get(name)
    return default if text is None else min(parse_number(text, name), highest)
