"""The deployment file: which chain, where the contracts are, and from which block on there is something to read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from setoff.shared.codec import eip712
from setoff.shared.codec.hashing import keccak
from setoff.shared.config.address_book import AddressBook
from setoff.shared.config.market_names import MarketNames
from setoff.shared.config.whole_file import replace_file
from setoff.shared.errors import ConfigError

_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the contracts are: addresses as 0x-strings, `block` the one to read logs from."""

    chain_id: int
    token: str
    vault: str
    queue: str
    inbox: str
    judge: str
    court: str
    receipts: str
    block: int = 0
    epoch_batches: int = 1
    least_deposit: int = 0
    """Token units."""
    backstop_delay: int = 0
    """Seconds from a request for shares of the backstop, or for its money, to its price."""
    block_hash: str = "0x" + 64 * "0"
    """That `block` had when the contracts were made: it tells apart chains of one number, such as two that were started
    for development one after the other, with the same contracts at the same addresses. Zero: not known."""
    names: MarketNames = dataclasses.field(default_factory=MarketNames)
    """What people call the collateral and the markets."""
    book: AddressBook = dataclasses.field(default_factory=AddressBook)
    """By whom and on which terms it was made, for `setoff deploy --verify`."""

    @property
    def vault_bytes(self) -> bytes:
        """The vault's 20-byte address."""
        return bytes.fromhex(self.vault.removeprefix("0x"))

    @property
    def domain(self) -> bytes:
        """The 32-byte EIP-712 domain separator."""
        return eip712.domain_separator(self.chain_id, self.vault_bytes)

    @property
    def genesis(self) -> tuple[bytes, int]:
        """What `Machine.genesis` takes: all that the machine holds before the first batch."""
        return self.domain, self.backstop_delay

    @property
    def namespace(self) -> str:
        """Prefix of this deployment's keys in Redis, so that two deployments never share one."""
        return f"setoff:{keccak(self.domain + bytes.fromhex(self.block_hash[2:])).hex()[:16]}"

    @property
    def file_name(self) -> str:
        """The same for files and folders."""
        return self.namespace.replace(":", "-")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the JSON file. Raises ConfigError if it is missing, unreadable or incomplete."""
        if path.is_dir():
            hint = "SETOFF_DEPLOYMENT or the option is empty" if path == Path() else f"{path} is a folder"
            raise ConfigError("bad_config", f"deployment: no file is named: {hint}")
        try:
            data = json.loads(path.read_text())
        except FileNotFoundError:
            raise ConfigError("bad_config", f"deployment: there is no file {path}") from None
        except (OSError, ValueError) as error:
            raise ConfigError("bad_config", f"deployment: {path} cannot be read: {error}") from None
        if not isinstance(data, dict):
            raise ConfigError("bad_config", f"deployment: {path} is not a JSON object")
        return cls.read(data, str(path))

    @classmethod
    def read(cls, data: Mapping[str, Any], where: str) -> Self:
        """From the members of the file `where`. Raises ConfigError if it is incomplete."""
        values: dict[str, Any] = {}
        for item in dataclasses.fields(cls):
            if item.name == "names":
                values[item.name] = MarketNames.read(data.get(item.name))
                continue
            if item.name == "book":
                values[item.name] = AddressBook.read(data.get(item.name))
                continue
            value = data.get(item.name, _MISSING if item.default is dataclasses.MISSING else item.default)
            if item.type == "int":
                good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
            else:
                good = isinstance(value, str) and is_hex(value, 32 if item.name == "block_hash" else 20)
            if not good:
                raise ConfigError("bad_config", f"deployment: {where} has no usable '{item.name}'")
            values[item.name] = value
        return cls(**values)

    def save(self, path: Path) -> None:
        """Write the JSON file, its folder too; readers see the old file or the whole new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, json.dumps(dataclasses.asdict(self), indent=2) + "\n")


def is_hex(text: str, length: int) -> bool:
    """Whether it is so many bytes in hexadecimal, with 0x or without."""
    digits = text.removeprefix("0x")
    return len(digits) == 2 * length and all(digit in "0123456789abcdefABCDEF" for digit in digits)
