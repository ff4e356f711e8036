"""`setoff proof`: an account as L1 has confirmed it, with what proves it; and such a proof, checked."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from setoff.deploy.cli.arguments.words import parse_address, parse_count
from setoff.deploy.cli.connections import get_money, open_reader
from setoff.deploy.cli.output import show, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.whole_file import replace_file
from setoff.shared.errors import ConfigError, InputError
from setoff.shared.sdk.account_proofs import AccountProof, check_account, prove_account
from setoff.shared.sdk.vault import Vault
from setoff.shared.state.leaves import Account


def run(arguments: argparse.Namespace) -> int:
    """Make one, or check one."""
    reader = open_reader(load_client(arguments))
    vault = Vault(reader.l1, reader.deployment)
    if arguments.check is not None:
        try:
            proof = AccountProof.from_json(json.loads(arguments.check.read_text()))
        except (OSError, ValueError) as error:
            raise ConfigError("bad_config", f"{arguments.check} cannot be read: {error}") from None
        said = "the proof holds: L1 has confirmed this"
    else:
        tell_progress("running again what L1 has confirmed")
        proof = prove_account(reader, vault, read_account(arguments.account))
        tell_progress("")
        said = "held against L1: `setoff proof --check FILE` does the same anywhere"
    leaf = check_account(proof, vault)
    if arguments.out is not None:
        replace_file(arguments.out, json.dumps(proof.to_json(), indent=2) + "\n")
        said = f"the proof is in {arguments.out}; {said}"
    facts = proof.to_json() | {"owner": leaf.owner, "collateral": str(leaf.collateral)}
    show(arguments, facts, *describe(proof, leaf, reader.deployment), said)
    return 0


def read_account(text: str) -> int | bytes:
    """A number, or an address. Raises InputError("not_found") for neither."""
    try:
        return parse_address(text) if text.startswith("0x") else parse_count(text)
    except argparse.ArgumentTypeError as error:
        raise InputError("not_found", f"no account has this name: {error}") from None


def describe(proof: AccountProof, leaf: Account, deployment: Deployment) -> list[str]:
    """What it shows, for people."""
    money: Any = get_money(deployment)
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(proof.time))
    lines = [
        f"account {proof.account} of 0x{leaf.owner.hex()}, at the end of epoch {proof.epoch} ({when})",
        f"  collateral  {money.show(leaf.collateral)}",
    ]
    for position in leaf.positions:
        if position.size:
            side = "long" if position.size > 0 else "short"
            lines.append(f"  market {position.market}    {side} {abs(position.size)} lots")
    return lines
