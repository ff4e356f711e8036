"""How a service or a client is told its key: the settings that belong to it, and what is made of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Final, Self

from setoff.shared.config.key_file import is_keystore, read_key
from setoff.shared.config.limits import Matching, is_url
from setoff.shared.config.setting import setting
from setoff.shared.config.settings import Settings

_ADDRESS: Final = "0x[0-9a-fA-F]{40}"


@dataclass(frozen=True, kw_only=True)
class KeySettings(Settings):
    """The shared settings, and a private key."""

    key: str = setting("", "Private key: hex, or the name of a file that holds it or a keystore.", is_secret=True)
    key_password: str = setting(
        "",
        """Name of a file that holds the password of the keystore (Web3 Secret Storage, version 3) that `key` names;
        empty: it is asked for at the terminal.""",
        is_secret=True,  # somebody may have written the password itself
    )

    @property
    def key_name(self) -> str:
        """What the key is called where something is wrong with it."""
        return "key" if self.section == "client" else f"{self.section}.key"

    def private_key(self) -> bytes:
        """The 32-byte key. Raises ConfigError if there is none, or a remote signer has it."""
        return read_key(self.key, self.key_name, self.key_password)

    def check_key(self) -> None:
        """Raises ConfigError if there is no key that can be used."""
        self.private_key()

    def unlock(self) -> Self:
        """The same with the key itself, where somebody has to type its password: for processes that nobody could type
        it for. Raises ConfigError."""
        if self.key_password or not is_keystore(self.key):
            return self
        return dataclasses.replace(self, key="0x" + self.private_key().hex())


@dataclass(frozen=True, kw_only=True)
class AccountSettings(KeySettings):
    """The same where the key may be elsewhere: a remote signer signs the transactions of its account."""

    key_account: str = setting(
        "",
        """Address of the account that signs, where `key` is the URL of a remote signer (web3signer's JSON-RPC); empty:
        the only one that it holds.""",
        limit=Matching(f"(|{_ADDRESS})", "an address, or empty"),
    )

    @property
    def has_remote_key(self) -> bool:
        """Whether a remote signer has the key."""
        return is_url(self.key)

    def check_key(self) -> None:
        """See `KeySettings`; a remote signer is not asked."""
        if not self.has_remote_key:
            self.private_key()
