"""What a request means: the exchange as it may be read now, and the numbers, markets and accounts that it names."""

from __future__ import annotations

from setoff.operator.api.views.scales import Scales
from setoff.operator.bridge.desk import Desk
from setoff.operator.sequencer.exchange import Exchange
from setoff.operator.sequencer.sequencer import Status
from setoff.shared.errors import InputError, StateError
from setoff.shared.state import keys
from setoff.shared.wire.near_names import tell_no_market


async def read_exchange(desk: Desk) -> Exchange:
    """The exchange, with all that was acknowledged. Raises StateError("not_ready") while the state in memory may not be
    the durable one."""
    if not desk.is_fresh:
        await desk.refresh()
    if desk.status is not Status.READY:
        raise StateError("not_ready", f"the sequencer is {desk.status.value}")
    return desk.exchange


def find_market(scales: Scales, exchange: Exchange, text: str) -> int:
    """A listed market by its number or symbol. Raises InputError("not_found")."""
    markets = exchange.machine.regs.markets
    market = int(text) if text.isdecimal() else scales.find(text, markets)
    if not 1 <= market <= markets:
        raise InputError("not_found", tell_no_market(text, [scales[other].symbol for other in range(1, markets + 1)]))
    return market


def find_account(exchange: Exchange, text: str) -> int:
    """An account by its id or its owner's address, with ".N" behind it its sub-account N.

    Raises InputError("not_found").
    """
    name, _, sub = text.partition(".")
    if name.startswith("0x"):
        account = exchange.accounts.get(bytes.fromhex(name[2:]), 0)
    else:
        account = int(name)
    if sub:
        account = keys.sub_account(keys.get_master(account), int(sub))
    if not 1 <= keys.get_master(account) <= exchange.machine.regs.accounts or keys.get_sub(account) > keys.MAX_SUB:
        why = "it begins with its first deposit, which is here once L1 has confirmed it"
        raise InputError("not_found", f"there is no account {text[:46]}: {why}")
    return account
