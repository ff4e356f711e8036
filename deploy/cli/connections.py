"""What the client's commands share: connections to an exchange and to L1, made from their settings."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import fields
from functools import partial
from typing import Any, Final, TypeVar

from setoff.deploy.cli.amounts import Money
from setoff.deploy.cli.sent import SENT
from setoff.deploy.cli.settings import load_client
from setoff.shared.config.client_settings import ClientSettings
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ChainError
from setoff.shared.l1.account import Account, RemoteAccount, open_account
from setoff.shared.l1.chain import ChainReader
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import TOKEN
from setoff.shared.l1.da.module import DataPlaces
from setoff.shared.l1.rpc import Node
from setoff.shared.sdk.client import SetoffClient, SubmitResult
from setoff.shared.sdk.listed_units import ListedUnits
from setoff.shared.sdk.receipt_store import OperatorBond, ReceiptStore
from setoff.shared.sdk.signer import KeySigner, Signer, WalletSigner
from setoff.shared.sdk.submission import ANSWER_PATIENCE
from setoff.shared.sdk.vault import Vault

T = TypeVar("T")

RPC_PATIENCE: Final = 3.0
"""Seconds to wait for L1 before a trade goes on without a check of its receipt."""
PROBE: Final = 1.5
"""Seconds that an L1 node has to answer when a command begins; one that has answered is waited for much longer."""


def open_vault(settings: ClientSettings) -> Vault:
    """The vault, used with the client's key."""
    deployment = settings.load_deployment()
    return Vault(connect(settings, deployment, open_account(settings)), deployment)


def connect(settings: ClientSettings, deployment: Deployment, key: bytes | Account | None = None) -> L1:
    """The L1 node, as the account of `key`. Raises ChainError at once where nothing answers as one, ConfigError for
    another chain."""
    check_answers(settings.rpc_url, deployment.chain_id)
    l1 = L1(settings.rpc_url, key, chain_id=deployment.chain_id, patience=settings.l1_patience)
    SENT.follow(partial(tell_transactions, l1))
    return l1


def open_signer(settings: ClientSettings) -> Signer:
    """Who signs records with the client's key. Raises ConfigError; ChainError if a remote signer is away."""
    account = open_account(settings)
    if isinstance(account, RemoteAccount):
        return WalletSigner(account.address, account.sign_typed_data)
    return KeySigner(settings.private_key())


def check_answers(url: str, chain_id: int | None = None) -> None:
    """Whether an L1 node answers at `url`: a wrong address is told in a moment, and not after the patience that a node
    is due which is away for a while. Raises ChainError with what was answered instead, ConfigError."""
    try:
        Node(url, chain_id=chain_id, patience=PROBE, timeout=2 * PROBE).check_chain()
    except ChainError as error:
        raise ChainError(error.reason, f"no L1 node answers at {error.detail}") from None


def open_reader(settings: ClientSettings) -> ChainReader:
    """Reads batches and messages, with data from wherever the settings say it may be."""
    deployment = settings.load_deployment()
    places = DataPlaces(settings.beacon_url, settings.peer_urls)
    return ChainReader(connect(settings, deployment), deployment, places)


def ask_exchange(arguments: argparse.Namespace, question: Callable[[SetoffClient], Awaitable[T]]) -> T:
    """Connect with the client's key, if there is any, and ask."""
    settings = load_client(arguments)

    async def ask() -> T:
        signer = open_signer(settings) if settings.key else None
        client = SetoffClient(
            settings.exchange,
            signer,
            account=arguments.principal,
            agent=arguments.agent,
            sub=arguments.sub,
            receipt_store=open_receipt_store(settings) if signer else None,
            deployment=settings.find_deployment(),
            listed=open_listed(settings),
            patience=ANSWER_PATIENCE,
        )
        teller = partial(tell_records, client)
        SENT.follow(teller)
        try:
            async with client:
                return await question(client)
        finally:
            SENT.end(teller)

    return asyncio.run(ask())


def tell_transactions(l1: L1) -> list[str]:
    """What was sent through a connection to L1, for people; no allowances: they move nothing."""
    sent = l1.sender.list_sent() if l1.has_account else []
    approve = TOKEN.functions["approve"].selector
    return [f"transaction 0x{each.hash.hex()} {each.state}" for each in sent if each.data[:4] != approve]


def tell_records(client: SetoffClient) -> list[str]:
    """What was sent through a connection to an exchange, for people: what it has taken last, and not answered yet."""
    taken = client.last_taken
    lines = [] if taken is None else [f"record {taken.sequence} was taken, in batch {taken.batch}"]
    return lines + [f"the record 0x{record.hex()} is not answered yet" for record in client.on_their_way]


def open_receipt_store(settings: ClientSettings) -> ReceiptStore | None:
    """The kept receipts of the deployment, None without its file. If L1 does not answer new ones are not checked."""
    deployment = settings.find_deployment()
    if deployment is None:
        return None
    operator_bond = None
    try:
        l1 = L1(settings.rpc_url, chain_id=deployment.chain_id, patience=RPC_PATIENCE)
        operator_bond = OperatorBond.read(l1, deployment)
    except ChainError as error:
        print(f"receipts are kept, but not checked: {error}", file=sys.stderr)
    return ReceiptStore.open(settings.receipts, deployment, operator_bond)


def open_listed(settings: ClientSettings) -> ListedUnits | None:
    """What L1 lists of markets, which decimals are held against; None without the deployment's file."""
    deployment = settings.find_deployment()
    if deployment is None:
        return None
    l1 = L1(settings.rpc_url, chain_id=deployment.chain_id, patience=RPC_PATIENCE)
    return ListedUnits(l1, deployment, settings.receipts / f"{deployment.file_name}.units.json")


async def ask_money(client: SetoffClient) -> Money:
    """What the exchange's collateral is called, and how it is divided."""
    collateral = (await client.info())["collateral"]
    return Money(str(collateral["symbol"]), int(collateral["decimals"]))


def get_money(deployment: Deployment) -> Money:
    """The same from the deployment file."""
    return Money(deployment.names.collateral.symbol, deployment.names.collateral.decimals)


def to_facts(result: SubmitResult) -> dict[str, Any]:
    """What became of a record, as JSON has it."""
    values = {item.name: getattr(result, item.name) for item in fields(result) if item.name != "signed"}
    return {**values, "receipts": [signed.to_json() for signed in result.signed]}
