"""`setoff deploy`."""

from __future__ import annotations

import argparse
from pathlib import Path

from setoff.shared.config.settings import read_key
from setoff.shared.l1.connection import L1
from setoff.shared.params import PRESETS, preset


def configure(parser: argparse.ArgumentParser) -> None:
    """Onto which chain, with which parameters, for whom."""
    parser.add_argument("--rpc", metavar="URL", default="http://127.0.0.1:8545", help="the L1 node; now %(default)s")
    parser.add_argument(
        "--key", metavar="KEY", required=True, help="who pays: a private key in hex or the file that holds it"
    )
    parser.add_argument(
        "--preset", choices=list(PRESETS), default="testnet", help="periods and amounts; now %(default)s"
    )
    parser.add_argument("--operator", metavar="ADDRESS", required=True, help="who posts batches")
    parser.add_argument(
        "--lister", metavar="ADDRESS", help="who lists markets and names oracle signers; by default who pays"
    )
    parser.add_argument(
        "--token", metavar="ADDRESS", help="the collateral, an ERC-20; by default a worthless one of its own"
    )
    parser.add_argument(
        "--least-deposit",
        metavar="UNITS",
        type=int,
        help="what a deposit brings at least, in the token's smallest units; by default ten whole tokens",
    )
    parser.add_argument("--out", metavar="FILE", type=Path, default=Path("var/deployment.json"),
                        help="where to write the addresses; now %(default)s")  # fmt: skip
    parser.epilog = "\n".join(
        f"{name:<10} T = {terms.challenge_period} s, bond {terms.bond / 10**18:g}, stake {terms.stake / 10**18:g} ether"
        for name, terms in PRESETS.items()
    )


def run(arguments: argparse.Namespace) -> int:
    """Deploy, and write down where."""
    from setoff.deploy.contracts.deployment import deploy

    l1 = L1(arguments.rpc, read_key(arguments.key, "--key"))
    deployment = deploy(
        l1,
        preset(arguments.preset),
        operator=_address(arguments.operator),
        lister=_address(arguments.lister) if arguments.lister else l1.address,
        token=arguments.token,
        least_deposit=arguments.least_deposit,
        tell=lambda line: print(line, flush=True),
    )
    deployment.save(arguments.out)
    print(f"court {deployment.court}, vault {deployment.vault}: written to {arguments.out}")
    return 0


def _address(text: str) -> bytes:
    data = bytes.fromhex(text.removeprefix("0x"))
    if len(data) != 20:
        raise ValueError(f"{text} is no address")
    return data
