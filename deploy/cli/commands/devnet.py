"""`setoff devnet`."""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading
from pathlib import Path

from setoff.shared.errors import ConfigError
from setoff.shared.params import preset


def run(arguments: argparse.Namespace) -> int:
    """Run it until SIGINT or SIGTERM, after saying what to do with it."""
    from setoff.deploy.devnet.anvil import dev_keys
    from setoff.deploy.devnet.devnet import FIRST_TRADER, OPERATOR, WATCHERS, Devnet, Faucet
    from setoff.shared.codec import signatures

    folder = arguments.dir or Path(tempfile.mkdtemp(prefix="setoff-devnet-"))
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
    with Devnet(folder, preset(arguments.preset), signers=signers, port=arguments.port) as devnet:
        faucet = Faucet(devnet.chain.connect(FIRST_TRADER), devnet.deployment)
        for trader in traders:
            faucet.give(signatures.address_of(trader), 10**12, wei=0)
        print(
            GUIDE.format(
                setoff=name_command(),
                folder=folder,
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
            pass
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

A price, which has to be fresh to trade on it (the oracle's two signers share this key here); leave it running:
  {setoff} trade report 1 78000 --signer 0 --signer 1 --every 10 --key {oracle}
Then:
  {setoff} trade buy 1 10 77990
  {setoff} trade market 1
  {setoff} receipts check
A second trader, who has as much, takes the other side (orders of one owner never trade with each other):
  {setoff} deposit 1000 --key {second_trader}
  {setoff} trade sell 1 10 77990 --key {second_trader}
A third, with a key of your own in a file (on other chains, too: `wallet new` never writes over one):
  {setoff} wallet new {folder}/trader.key
  {setoff} wallet fund {folder}/trader.key
  {setoff} deposit 1000 --key {folder}/trader.key
Money back, after the challenge period; and the last batch, executed again from L1 alone:
  {setoff} withdraw 100
  {setoff} verify

A lie: stop the operator, start its two parts again, the same way but for the words
  {setoff} operator sequencer
  {setoff} scenario liar publisher --lie wrong-root
and watch the watcher.
"""
