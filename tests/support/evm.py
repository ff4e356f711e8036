"""A chain for contract tests: whatever EVM there is, behind a small interface. Each call is a transaction of its own.

    chain = Chain()
    token = chain.deploy("token")
    token.mint(trader, 5, sender=trader)
    assert token.balanceOf(trader) == 5
    with reverts("token_balance"):
        token.transfer(other, 6, sender=trader)

Addresses are checksummed strings, byte strings `bytes`, money in wei, time in unix seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from eth_abi import decode, encode
from eth_utils import to_checksum_address
from eth_utils.abi import collapse_if_tuple
from rlp import encode as rlp_encode
from tests.support.engines.choice import new_engine
from tests.support.engines.engine import GAS_LIMIT, Failed, Outcome, RawLog, Transaction

from setoff.contracts.compiler import Compiled, compile_contract, compile_file
from setoff.shared.codec.hashing import keccak

ETHER = 10**18
CHAIN_ID = 31337
GENESIS_TIME = 1_800_000_000

_ERROR_STRING = bytes.fromhex("08c379a0")


class Reverted(Exception):
    """A transaction that failed: `reason` is the contract's reason, or what the EVM says ("OutOfGas…")."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def reverts(reason: str) -> Iterator[None]:
    """The block must revert, for exactly this reason ("" is a revert without one)."""
    try:
        yield
    except Reverted as error:
        assert error.reason == reason, f"reverted for {error.reason!r}, not {reason!r}"
    else:
        raise AssertionError(f"did not revert ({reason})")


def address(name: str | int) -> str:
    """An account without code, by name or number: the same name is the same account."""
    seed = name.to_bytes(20, "big") if isinstance(name, int) else keccak(name.encode())[12:]
    return to_checksum_address(seed)


def raw(account: str) -> bytes:
    """An address in bytes."""
    return bytes.fromhex(account[2:])


DEPLOYER = address("deployer")


@dataclass(frozen=True, slots=True)
class Log:
    """One event: its contract, its name and its arguments by name."""

    contract: str
    name: str
    args: dict[str, Any]


@dataclass(slots=True)
class Receipt:
    """What the last transaction did."""

    gas_used: int = 0
    logs: list[Log] = field(default_factory=list)

    def named(self, name: str) -> list[dict[str, Any]]:
        """Arguments of all events of that name."""
        return [log.args for log in self.logs if log.name == name]


@cache
def compile_own(path: Path) -> Compiled:
    """A test's own contract, compiled once in this process."""
    return compile_file(path, path.stem)


class Chain:
    """An EVM with a clock. Time stands still unless a test moves it."""

    def __init__(self, timestamp: int = GENESIS_TIME, chain_id: int = CHAIN_ID) -> None:
        self.chain_id = chain_id
        self.engine = new_engine(chain_id)
        self._blobs: tuple[bytes, ...] = ()
        self._events: dict[tuple[str, bytes], dict[str, Any]] = {}
        self.last = Receipt()
        self.set_time(timestamp)
        self.fund(DEPLOYER)

    def cool(self) -> None:
        """Make everything cold, as it is for a transaction on a real chain: before a call whose gas is measured."""
        self.engine.cool()

    def set_time(self, timestamp: int) -> None:
        """Timestamp of the blocks from now on."""
        self.now = timestamp
        self.engine.set_time(timestamp)

    def warp(self, seconds: int) -> None:
        """Let time pass."""
        self.set_time(self.now + seconds)

    def carry_blobs(self, versioned_hashes: Sequence[bytes]) -> None:
        """Let the transactions from now on carry the blobs with these hashes."""
        self._blobs = tuple(versioned_hashes)

    def balance(self, account: str) -> int:
        """Wei of an account."""
        return self.engine.balance(account)

    def fund(self, account: str, amount: int = 10**6 * ETHER) -> str:
        """Give an account this balance; returns the account."""
        self.engine.set_balance(account, amount)
        return account

    def code(self, account: str) -> bytes:
        """Code at an address."""
        return self.engine.code(account)

    def predict(self, ahead: int = 0, deployer: str = DEPLOYER) -> str:
        """Address of the contract that `deployer` creates after `ahead` others, if it does nothing else before."""
        return contract_address(deployer, self.engine.nonce(deployer) + ahead)

    def snapshot(self) -> Any:
        """The state now, for `restore`."""
        return self.engine.snapshot()

    def restore(self, snapshot: Any) -> None:
        """Take back all since `snapshot`. (The clock stays.)"""
        self.engine.restore(snapshot)

    def succeeds(self, to: str, data: bytes, *, sender: str, gas: int) -> bool:
        """Whether a transaction with so much gas goes through; it is sent."""
        try:
            self.call(to, data, sender=sender, gas=gas)
        except Reverted:
            return False
        return True

    def deploy(self, contract: str | Path | Compiled, *args: Any, value: int = 0, sender: str = DEPLOYER) -> "Contract":
        """Deploy a contract of the project by name, a test's own by path, or a compiled one."""
        if isinstance(contract, str):
            compiled = compile_contract(contract)
        elif isinstance(contract, Path):
            compiled = compile_own(contract)
        else:
            compiled = contract
        types = _types(next((e["inputs"] for e in compiled.abi if e["type"] == "constructor"), []))
        code = bytes.fromhex(compiled.bytecode) + encode(types, args)
        return Contract(self, self.create(code, value, sender), compiled.abi)

    def create(self, code: bytes, value: int = 0, sender: str = DEPLOYER) -> str:
        """Run code that creates a contract; returns its address."""
        created = self._send(Transaction(sender, None, code, value)).created
        assert created is not None
        return created

    def call(
        self, to: str, data: bytes = b"", *, sender: str, value: int = 0, gas: int = GAS_LIMIT, gas_price: int = 0
    ) -> bytes:
        """Send a transaction; returns what it returned. Raises Reverted, and then nothing has changed."""
        return self._send(Transaction(sender, to, data, value, gas, gas_price, self._blobs)).output

    def ask(self, to: str, data: bytes, *, sender: str = DEPLOYER, gas: int = GAS_LIMIT) -> bytes:
        """What a view function returns: no transaction, so `last` stays. Raises Reverted."""
        try:
            return self.engine.ask(Transaction(sender, to, data, gas=gas, blobs=self._blobs))
        except Failed as error:
            raise Reverted(read_reason(error)) from None

    def _send(self, transaction: Transaction) -> Outcome:
        try:
            outcome = self.engine.send(transaction)
        except Failed as error:
            raise Reverted(read_reason(error)) from None
        self.last = Receipt(outcome.gas_used, [self._decode(log) for log in outcome.logs])
        return outcome

    def _learn(self, contract: str, abi: Sequence[dict[str, Any]]) -> None:
        for entry in abi:
            if entry["type"] == "event":
                topic = keccak(f"{entry['name']}({','.join(_types(entry['inputs']))})".encode())
                self._events[(contract, topic)] = entry

    def _decode(self, log: RawLog) -> Log:
        entry = self._events.get((log.address, log.topics[0]))
        if entry is None:
            return Log(log.address, log.topics[0].hex(), {})
        indexed = [i for i in entry["inputs"] if i["indexed"]]
        plain = [i for i in entry["inputs"] if not i["indexed"]]
        args: dict[str, Any] = {}
        for spec, topic in zip(indexed, log.topics[1:], strict=True):
            args[spec["name"]] = _plain(decode([spec["type"]], topic)[0], spec)
        for spec, value in zip(plain, decode(_types(plain), log.data), strict=True):
            args[spec["name"]] = _plain(value, spec)
        return Log(log.address, entry["name"], args)


class Contract:
    """A contract on the chain; each of its functions is a method that sends a transaction from `sender`."""

    def __init__(self, chain: Chain, address: str, abi: Sequence[dict[str, Any]]) -> None:
        self.chain = chain
        self.address = address
        self._functions = {entry["name"]: entry for entry in abi if entry["type"] == "function"}
        chain._learn(address, abi)

    def encode(self, name: str, *args: Any) -> bytes:
        """Calldata of a call."""
        types = _types(self._functions[name]["inputs"])
        return keccak(f"{name}({','.join(types)})".encode())[:4] + encode(types, args)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self._functions:
            raise AttributeError(name)

        def method(*args: Any, sender: str = DEPLOYER, value: int = 0, gas: int = GAS_LIMIT, gas_price: int = 0) -> Any:
            data = self.encode(name, *args)
            if self._functions[name]["stateMutability"] in ("view", "pure") and not value:
                output = self.chain.ask(self.address, data, sender=sender, gas=gas)
            else:
                output = self.chain.call(self.address, data, sender=sender, value=value, gas=gas, gas_price=gas_price)
            outputs = self._functions[name]["outputs"]
            values = [_plain(value, spec) for value, spec in zip(decode(_types(outputs), output), outputs, strict=True)]
            return None if not values else values[0] if len(values) == 1 else tuple(values)

        return method


def contract_address(deployer: str, nonce: int) -> str:
    """Address of the contract that an account creates in its transaction number `nonce`."""
    return to_checksum_address(keccak(rlp_encode([bytes.fromhex(deployer[2:]), nonce]))[12:])


def _types(specs: Sequence[dict[str, Any]]) -> list[str]:
    return [collapse_if_tuple(spec) for spec in specs]


def _plain(value: Any, spec: dict[str, Any]) -> Any:
    """Addresses as checksummed strings, as everywhere in the tests."""
    if spec["type"] == "address":
        return to_checksum_address(value)
    if spec["type"] == "tuple":
        return tuple(_plain(part, inner) for part, inner in zip(value, spec["components"], strict=True))
    return value


def read_reason(error: Failed) -> str:
    """The reason in what a transaction has reverted with; else that itself, as hex, or what the EVM says."""
    if error.output is None:
        return error.said
    if error.output[:4] == _ERROR_STRING:
        return str(decode(["string"], error.output[4:])[0])
    return error.output.hex()
