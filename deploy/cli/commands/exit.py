"""`setoff exit`: money out of an exchange by whatever way is open, and why not sooner."""

from __future__ import annotations

import argparse
import time
from typing import Any

from setoff.deploy.cli.connections import connect, get_money, open_signer
from setoff.deploy.cli.output import show, tell, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.l1.account import open_account
from setoff.shared.l1.connection import L1
from setoff.shared.l1.court import CourtContract
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.sdk.ways_out import FORCED, OPERATOR, WayOut, WaysOut


def run(arguments: argparse.Namespace) -> int:
    """Take it out; exit code 1 if nothing may leave now."""
    settings = load_client(arguments)
    deployment = settings.load_deployment()
    money = get_money(deployment)
    places = DataPlaces(settings.beacon_url, settings.peer_urls)
    l1 = connect(settings, deployment, open_account(settings))
    ways = WaysOut(l1, deployment, open_signer(settings), settings.exchange, sub=arguments.sub, places=places)

    def say(text: str) -> None:
        tell_progress("")
        tell(arguments, text)

    if arguments.end and not arguments.look:
        ways.wind_down(tell=tell_progress)
        ways.settle(tell=tell_progress)
    open_ways = ways.look()
    for way in open_ways:
        say(way.text)
    operator, forced, wind_down = open_ways
    chosen = operator if operator.is_open and operator.amount else forced
    amount = chosen.amount if arguments.amount is None else money.read(arguments.amount)
    facts: dict[str, Any] = {"ways": [way._asdict() for way in open_ways], "way": chosen.name, "amount": str(amount)}
    if not amount or not chosen.amount:
        lines = [f"nothing may leave now. L1 has confirmed of this account: {ways.describe_confirmed()}"]
        show(arguments, facts | {"withdrawal": None, "paid": False}, *lines, *explain_nothing(chosen, wind_down))
        return 1
    say(f"{money.show(amount)} leave by this way: {chosen.name}. {explain_wait(chosen, l1, deployment)}")
    if arguments.look:
        show(arguments, facts | {"withdrawal": None, "paid": False}, "nothing was done")
        return 0
    index = take_out(ways, chosen, amount, say)
    facts["withdrawal"] = index
    if arguments.no_wait:
        show(arguments, facts | {"paid": False}, f"once its epoch is confirmed: `setoff force pay {index}`")
        return 0
    say(f"waiting for L1; if this is stopped: `setoff force pay {index}`")
    ways.pay(index, tell=tell_progress)
    tell_progress("")
    show(arguments, facts | {"paid": True}, f"the vault has paid withdrawal {index}: {money.show(amount)}")
    return 0


def take_out(ways: WaysOut, chosen: WayOut, amount: int, say: Any) -> int:
    """By the way that was chosen, or through L1 where the operator lets nobody through after all; the withdrawal's
    number."""
    return ways.withdraw(amount, tell=say) if chosen.name == OPERATOR else ways.force(amount, tell=say)


def explain_wait(way: WayOut, l1: L1, deployment: Deployment) -> str:
    """Why the money does not come at once."""
    terms = CourtContract(l1, deployment.court).terms
    first = "a batch takes it at once" if way.name == OPERATOR else "a batch has to take it from the queue"
    whole = "" if terms.epoch_batches == 1 else f", {terms.epoch_batches} batches make an epoch"
    return (
        f"Not sooner: {first}{whole}, what it ends at is claimed on L1, and may be disputed for "
        f"{terms.challenge_period} s and as long as a dispute lasts; then the vault pays"
    )


def explain_nothing(way: WayOut, wind_down: WayOut) -> list[str]:
    """What may be done."""
    lines = []
    if way.opens_at:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(way.opens_at))
        lines.append(f"withdrawals are limited now: more may leave from {when} on")
    how = "`setoff trade close MARKET`" if way.name != FORCED else "`setoff force close MARKET`"
    lines.append(f"what positions and orders hold leaves when they are closed: {how}, `setoff trade cancel --all`")
    if wind_down.is_open:
        lines.append("the exchange may be ended, which closes all of them: `setoff exit --end`")
    return lines
