"""`setoff deploy`."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial

from setoff.deploy.cli.connections import check_answers
from setoff.deploy.cli.output import show, tell
from setoff.deploy.cli.settings import load_client
from setoff.shared.l1.account import open_account
from setoff.shared.l1.connection import L1
from setoff.shared.params import preset


def run(arguments: argparse.Namespace) -> int:
    """Deploy, and write down where."""
    from setoff.deploy.contracts.deployment import deploy

    settings = load_client(arguments)
    check_answers(settings.rpc_url)
    l1 = L1(settings.rpc_url, open_account(settings), patience=settings.l1_patience)
    tell(arguments, "the contracts are compiled first, if that was not done here before: half a minute")
    deployment = deploy(
        l1,
        preset(arguments.preset),
        operator=arguments.operator,
        lister=arguments.lister or l1.address,
        token="0x" + arguments.token.hex() if arguments.token else None,
        least_deposit=arguments.least_deposit,
        tell=partial(tell, arguments),
    )
    place = arguments.out or settings.deployment
    deployment.save(place)
    written = f"court {deployment.court}, vault {deployment.vault}: written to {place}"
    show(arguments, {"file": place, **asdict(deployment)}, written)
    return 0
