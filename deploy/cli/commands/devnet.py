"""`setoff devnet`."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from setoff.shared.errors import ConfigError
from setoff.shared.params import preset

PRICE: Final = 78_000
"""Of a bitcoin, in dollars, until somebody writes another one into the file."""
ENVIRONMENT: Final = "env"
"""File of what a terminal has to export."""


def run(arguments: argparse.Namespace) -> int:
    """Run it until SIGINT or SIGTERM, after saying what to do with it."""
    from setoff.deploy.devnet.anvil import dev_keys
    from setoff.deploy.devnet.devnet import FIRST_TRADER, OPERATOR, WATCHERS, Devnet
    from setoff.deploy.devnet.exchange import DevExchange
    from setoff.deploy.devnet.faucet import Faucet
    from setoff.shared.codec import signatures

    folder = (arguments.dir or Path(tempfile.mkdtemp(prefix="setoff-devnet-"))).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError("bad_config", f"--dir: {folder} cannot be made: {error.strerror}") from None
    keys = dev_keys()
    oracle = keys[FIRST_TRADER + 1]
    traders = [keys[FIRST_TRADER], keys[FIRST_TRADER + 2]]
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    signers = [signatures.address_of(oracle)] * 2  # a quorum of two; here both are the same key
    with ExitStack() as stack:
        devnet = stack.enter_context(Devnet(folder, preset(arguments.preset), signers=signers, port=arguments.port))
        faucet = Faucet(devnet.chain.connect(FIRST_TRADER), devnet.deployment)
        for trader in traders:
            faucet.give(signatures.address_of(trader), 10**12, wei=0)
        price = folder / "price"
        price.write_text(f"{PRICE}\n")
        environment = {
            "SETOFF_RPC_URL": devnet.chain.url,
            "SETOFF_DEPLOYMENT": str(devnet.deployment_file),
            "SETOFF_CONFIRMATIONS": "0",
        }
        exchange = None
        if arguments.exchange:
            print("starting an operator and a feeder of prices", file=sys.stderr, flush=True)
            exchange = stack.enter_context(DevExchange(devnet, folder, environment, oracle, price))
            environment["SETOFF_EXCHANGE"] = exchange.url
        environment["SETOFF_RECEIPTS"] = str(folder / "receipts")
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in environment.items()]
        (folder / ENVIRONMENT).write_text("".join(lines))
        print(
            (GUIDE if exchange is None else GUIDE_TO_EXCHANGE).format(
                setoff=name_command(),
                folder=folder,
                exchange=environment.get("SETOFF_EXCHANGE", ""),
                url=devnet.chain.url,
                deployment=devnet.deployment_file,
                redis=devnet.redis_url(0),
                watcher_redis=devnet.redis_url(1),
                operator=keys[OPERATOR].hex(),
                watcher=keys[WATCHERS].hex(),
                trader=traders[0].hex(),
                second_trader=traders[1].hex(),
                oracle=oracle.hex(),
            ),
            flush=True,
        )
        while not stop.wait(0.5) and devnet.chain.is_running:
            if exchange is not None:
                exchange.check()
    return 0 if stop.is_set() else 1


def name_command() -> str:
    """How `setoff` is called here: in a clone through the script that sets up its environment."""
    root = Path(__file__).resolve().parents[3]
    script = root / "deploy" / "run"
    if not script.is_file():
        return "setoff"
    return f"{script.relative_to(root) if Path.cwd() == root else script} setoff"


GUIDE = """\
A chain runs at {url}, blocks every second; two markets wait to be traded. Ctrl-C ends it.

In every other terminal first:
  export SETOFF_RPC_URL={url} SETOFF_DEPLOYMENT={deployment} SETOFF_CONFIRMATIONS=0

An operator (its API will be at http://127.0.0.1:8700):
  REDIS_URL={redis} SETOFF_OPERATOR_KEY={operator} {setoff} operator run
and how it is:
  REDIS_URL={redis} {setoff} operator status

A watcher:
  REDIS_URL={watcher_redis} SETOFF_WATCHER_KEY={watcher} {setoff} watcher run
and what it thinks; `watcher disputes` and `watcher doctor` are asked in the same way:
  REDIS_URL={watcher_redis} SETOFF_WATCHER_KEY={watcher} {setoff} watcher status

A trader, who has a million test dollars:
  export SETOFF_KEY={trader}
  {setoff} deposit 1000
  {setoff} account

A price, which has to be fresh to trade on it: an oracle's feeder, which reads it from the file {folder}/price (write
another one there; the oracle's two signers share this key here). Leave it running:
  {setoff} oracle run --set min_sources=1 feeds=BTC-PERP=file:{folder}/price --key {oracle}
Then:
  {setoff} trade buy BTC-PERP 0.001 77990
  {setoff} trade market BTC-PERP
  {setoff} receipts check
A second trader, who has as much, takes the other side (orders of one owner never trade with each other):
  {setoff} deposit 1000 --key {second_trader}
  {setoff} trade sell BTC-PERP 0.001 77990 --key {second_trader}
A third, with a key of your own in a file (on other chains, too: `wallet new` never writes over one):
  {setoff} wallet new {folder}/trader.key
  {setoff} wallet fund {folder}/trader.key
  {setoff} deposit 1000 --key {folder}/trader.key
One more market (the lister's key is everybody's here; elsewhere: `market propose`, and `enact` after a delay):
  {setoff} market list ETH-PERP --lot 0.01
Money back, after the challenge period; and the last batch, executed again from L1 alone:
  {setoff} withdraw 100
  {setoff} verify

A lie: stop the operator, start its two parts again, the same way but for the words
  {setoff} operator sequencer
  {setoff} scenario liar publisher --lie wrong-root
and watch the watcher.
"""

GUIDE_TO_EXCHANGE = """\
An exchange runs at {exchange}, on a chain at {url}. Ctrl-C ends both. Logs are in {folder}.

In another terminal:
  . {folder}/env
  {setoff} wallet new {folder}/me.key
  export SETOFF_KEY={folder}/me.key
  {setoff} wallet fund {folder}/me.key
  {setoff} deposit 1000
  {setoff} trade market BTC-PERP
  {setoff} trade buy BTC-PERP 0.001 77000
  {setoff} account

The price of BTC-PERP is what the file {folder}/price says: write another one there.
"""
