"""A development chain with everything on it: anvil, the contracts, two markets, oracle signers, and a Redis server.

The funded accounts of the chain have roles, so that no two processes send from the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from setoff.deploy.contracts.deployment import deploy
from setoff.deploy.contracts.listing import encode_listing, encode_signer
from setoff.deploy.contracts.waves import send_in_waves
from setoff.deploy.devnet.anvil import Anvil
from setoff.deploy.devnet.chain import Chain
from setoff.shared.codec.records import ListMarketBody, MarketParameters
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.config.market_names import MarketName
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.errors import ChainError
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import QUEUE, Contract
from setoff.shared.params import Params

DEPLOYER: Final = 0
"""Account that deploys the contracts; also the lister."""
OPERATOR: Final = 1
WATCHERS: Final = 2
"""Account of the first watcher; the next ones are the others'."""
FIRST_TRADER: Final = 11

QUORUM: Final = 2
MAX_AGE: Final = 60
"""Seconds an oracle report stays fresh."""


BITCOIN: Final = ListMarketBody(
    1, MarketParameters(100, 50_000, 30_000, 500, -100, 100_000, order_margin=10**6, backstop_cap=250_000)
)
"""A lot is 0.0001 BTC and a tick a dollar: 100 millionths of a dollar. An order needs a dollar of margin."""
BITCOIN_NAME: Final = MarketName(1, "BTC-PERP", "BTC", "0.0001")
"""Of the first market; the others have the names that the rule gives them."""


def enact(lister: L1, deployment: Deployment, proposals: Sequence[bytes]) -> None:
    """Propose these calls of the queue and queue them: on a development chain there is no delay.

    `lister` has the lister's key. Raises ChainError if the queue refuses one.
    """
    first: int = Contract(lister, QUEUE, deployment.queue).view("proposal_count")
    _send_all(lister, deployment, proposals)
    _send_all(lister, deployment, [QUEUE.encode("enact", first + number) for number in range(len(proposals))])


def _send_all(lister: L1, deployment: Deployment, calls: Sequence[bytes]) -> None:
    for receipt in send_in_waves(lister, [(deployment.queue, call) for call in calls]):
        if not receipt.succeeded:
            raise ChainError("transaction_reverted", "the queue refused a proposal")


class Devnet:
    """A running chain with a deployment; a context manager that stops it. `folder` keeps what is to be kept."""

    def __init__(
        self,
        folder: Path,
        params: Params,
        *,
        signers: Sequence[bytes] = (),
        markets: int = 2,
        port: int = 0,
        chain: Chain | None = None,
        deployment: Deployment | None = None,
    ) -> None:
        """`signers`: addresses of the oracle's signers, 20 bytes each; `chain`: a running one, that its owner stops, by
        default an anvil of its own; `deployment`: what account 0 has deployed there.

        Raises ConfigError if something cannot start.
        """
        self.folder = folder
        self.params = params
        self.deployment_file = folder / "deployment.json"
        self.chain = chain or Anvil(block_time=1, port=port)
        self._is_ours = chain is None
        try:
            self.redis = RedisServer.embed(folder / "redis")
            self.deployer = self.chain.connect(DEPLOYER)
            self.deployment = deployment or deploy(
                self.deployer, params, operator=self.chain.connect(OPERATOR).address, lister=self.deployer.address
            )
            names = replace(self.deployment.names, markets=(BITCOIN_NAME,))
            self.deployment = replace(self.deployment, names=names)
            self.deployment.save(self.deployment_file)
            self.enact(
                [
                    *(encode_listing(BITCOIN._replace(market=market)) for market in range(1, markets + 1)),
                    *(encode_signer(number, signer, QUORUM, MAX_AGE) for number, signer in enumerate(signers)),
                ]
            )
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def l1(self) -> L1:
        """A connection for reading."""
        return self.chain.l1

    def redis_url(self, database: int) -> str:
        """A Redis database of one's own."""
        return f"{self.redis.url.rpartition('/')[0]}/{database}"

    def enact(self, proposals: Sequence[bytes]) -> None:
        """Propose these calls of the queue, and queue them."""
        enact(self.deployer, self.deployment, proposals)

    def stop(self) -> None:
        """Stop Redis and the chain, if that is ours; more than once does no harm."""
        redis = getattr(self, "redis", None)
        if redis is not None:
            redis.stop()
        if self._is_ours:
            self.chain.stop()
