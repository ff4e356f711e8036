"""An emergency exit: everything that may leave, taken out through L1 alone, whatever the operator does.

    python -m setoff.shared.sdk.examples.emergency_exit

It needs an L1 node (SETOFF_RPC_URL), the deployment file (SETOFF_DEPLOYMENT) and the owner's key (SETOFF_KEY) with some
ether for gas. It runs the exchange again from the batches on L1, forces the withdrawal, posts it when the operator does
not, and has the vault pay when L1 has confirmed it. (Batches in blobs: SETOFF_BEACON_URL, SETOFF_PEERS.)
What positions hold leaves when they are closed. When the operator is gone for so long that anybody may end the
exchange, `--end` does that, and has all markets settled at their last prices.
"""

from __future__ import annotations

import argparse
from decimal import Decimal

from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.sdk import L1, KeySigner, WaysOut


def leave(amount: Decimal | None, *, ends: bool) -> None:
    """Take out `amount`, by default all that may leave now; if it `ends`, of an exchange that is wound down first."""
    settings = ClientSettings.load()
    key = settings.private_key()
    deployment = settings.load_deployment()
    l1 = L1(settings.rpc_url, key, chain_id=deployment.chain_id)
    places = DataPlaces(settings.beacon_url, settings.peer_urls)
    ways = WaysOut(l1, deployment, KeySigner(key), places=places)
    if ends:
        ways.wind_down(tell=say)
        ways.settle(tell=say)
    _, forced, wind_down = ways.look()
    say(forced.text)
    say(wind_down.text)
    say(f"L1 has confirmed of this account: {ways.describe_confirmed()}")
    units = forced.amount if amount is None else ways.read_amount(amount)
    if not units:
        say("nothing may leave now")
        return
    index = ways.force(units, tell=say)
    ways.pay(index, tell=say)
    say(f"the vault has paid withdrawal {index}: {ways.show(units)}")


def say(text: str) -> None:
    """Show it at once, also in a file."""
    print(text, flush=True)


def main() -> None:
    """From the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--amount", type=Decimal, help="in the collateral's currency; default: all that may leave")
    parser.add_argument("--end", action="store_true", help="end the exchange first: positions become collateral")
    arguments = parser.parse_args()
    leave(arguments.amount, ends=arguments.end)


if __name__ == "__main__":
    main()
