"""pyrevm: an EVM in this process. Fast, and there are wheels for some Pythons only."""

from __future__ import annotations

import re
from typing import Any, Final

from eth_utils import to_checksum_address
from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env, TxEnv
from tests.support.engines.engine import GAS_LIMIT, HARDFORK, Failed, Outcome, RawLog, Transaction

_OUTPUT: Final = re.compile(r"output: 0x([0-9a-f]*)")
# The one place where pyrevm shows storage is its journal's debug text.
_ACCOUNT: Final = re.compile(r"(0x[0-9a-f]{40}): Account \{.*?storage: \{(.*?)\}, status:", re.DOTALL)
_SLOT: Final = re.compile(r"(\d+): StorageSlot \{ previous_or_original_value: \d+, present_value: (\d+) \}")


class InProcessEngine:
    """See `Engine`. pyrevm never ends a transaction: what any of them has touched stays warm, until `cool`."""

    def __init__(self, chain_id: int) -> None:
        self._chain_id = chain_id
        self._evm = self._new_evm()
        self._accounts: dict[str, tuple[AccountInfo, dict[int, int]]] = {}
        self._blobs: tuple[bytes, ...] = ()
        self._time = 0

    def _new_evm(self) -> EVM:
        return EVM(env=Env(cfg=CfgEnv(chain_id=self._chain_id)), spec_id=HARDFORK.upper(), gas_limit=GAS_LIMIT)

    def send(self, transaction: Transaction) -> Outcome:
        t = transaction
        if t.blobs != self._blobs:
            self._evm.set_tx_env(TxEnv(blob_hashes=list(t.blobs)))
            self._blobs = t.blobs
        created = None
        output = b""
        try:
            if t.to is None:
                created = self._create(t)
            else:
                output = self._evm.message_call(t.sender, t.to, t.data, t.value, t.gas, t.gas_price)
        except RuntimeError as error:
            found = _OUTPUT.search(str(error))
            raise Failed(bytes.fromhex(found[1]) if found else None, str(error)) from None
        finally:
            self._evm.reset_transient_storage()
        result = self._evm.result
        logs = tuple(_read_log(log) for log in result.logs)
        return Outcome(bytes(output), result.gas_used, logs, created)

    def _create(self, t: Transaction) -> str:
        before = self._evm.snapshot()
        try:
            created = self._evm.deploy(t.sender, t.data, t.value, t.gas)
        except RuntimeError:
            self._evm.revert(before)  # the nonce, which a creation uses even when it fails
            raise
        self._evm.commit()  # or each would leave less room for calls in calls
        return to_checksum_address(created)

    def ask(self, transaction: Transaction) -> bytes:
        before = self._evm.snapshot()
        try:
            return self.send(transaction).output
        finally:
            self._evm.revert(before)

    def set_time(self, timestamp: int) -> None:
        self._time = timestamp
        self._evm.set_block_env(BlockEnv(number=1, timestamp=timestamp, basefee=0, gas_limit=GAS_LIMIT))

    def nonce(self, account: str) -> int:
        return int(self._evm.basic(account).nonce)

    def balance(self, account: str) -> int:
        return int(self._evm.get_balance(account))

    def set_balance(self, account: str, amount: int) -> None:
        self._evm.set_balance(account, amount)

    def code(self, account: str) -> bytes:
        info = self._evm.basic(account)
        return bytes(info.code or b"").rstrip(b"\0")

    def set_code(self, account: str, code: bytes) -> None:
        info = AccountInfo(code=code)
        self._evm.insert_account_info(account, info)
        self._accounts[account.lower()] = (info, {})  # not in the journal before it is called

    def snapshot(self) -> Any:
        return self._evm.snapshot()

    def restore(self, snapshot: Any) -> None:
        self._evm.revert(snapshot)

    def cool(self) -> None:
        """Moves the state to a new EVM."""
        for found in _ACCOUNT.finditer(self._evm.journal_str):
            storage = self._accounts.get(found[1], (None, {}))[1]
            storage.update({int(slot): int(value) for slot, value in _SLOT.findall(found[2])})
            self._accounts[found[1]] = (self._evm.basic(found[1]), storage)
        self._evm = self._new_evm()
        self._blobs = ()
        for account, (info, storage) in self._accounts.items():
            self._evm.insert_account_info(account, info)
            for slot, value in storage.items():
                # Reaches the database only while the account is not loaded, which it does itself: so take that back.
                before = self._evm.snapshot()
                self._evm.insert_account_storage(account, slot, value)
                self._evm.revert(before)
        self.set_time(self._time)


def _read_log(log: Any) -> RawLog:
    topics, data = log.data
    return RawLog(to_checksum_address(log.address), tuple(bytes(topic) for topic in topics), bytes(data))
