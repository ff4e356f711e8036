# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Vault
@license MIT
@notice Holds every user's collateral, one ERC-20. It takes deposits, which it queues for the exchange, and pays
        withdrawals that a confirmed state records. Nobody can do anything else with the money: no owner, no pause.
"""

from ethereum.ercs import IERC20
from state import keys
from state import leaves
from state import registers
from state import witness


interface Queue:
    def push(body: Bytes[124]) -> uint256: nonpayable


interface Court:
    def confirmed(epoch: uint256) -> bytes32: view


event Deposited:
    owner: indexed(address)
    account: indexed(uint256)
    amount: uint256
    message: uint256      # its index in the queue


event Withdrawn:
    index: indexed(uint256)
    owner: indexed(address)
    account: uint256
    amount: uint256       # what the exchange owed
    payout: uint256       # what was paid: as much, unless the vault was short


TOKEN: public(immutable(IERC20))
QUEUE: public(immutable(Queue))
COURT: public(immutable(Court))
# Token units. Each deposit is a message that all machines take, and the first an account that they keep for ever.
LEAST_DEPOSIT: public(immutable(uint256))

# Far below what overflows anything in the rules, far above any token's supply in use.
CAP: constant(uint256) = 2**112
# The rules refuse a deposit of more.
DEPOSIT_CAP: constant(uint256) = 2**96
DEPOSIT: constant(bytes1) = 0x81

total: public(uint256)                              # token units held for users
account_count: public(uint256)
account_of: public(HashMap[address, uint256])       # 0: none; accounts are numbered from 1
paid: public(HashMap[uint256, bool])                # by withdrawal index


@deploy
def __init__(token: address, queue: address, court: address, least_deposit: uint256):
    """
    @param token The collateral: an ERC-20 that moves exactly what it is asked to move.
    @param least_deposit What a deposit has to bring at least, in token units.
    """
    assert token.is_contract, "not_a_contract"
    assert queue != empty(address) and court != empty(address), "zero_address"
    TOKEN = IERC20(token)
    QUEUE = Queue(queue)
    COURT = Court(court)
    LEAST_DEPOSIT = least_deposit


@external
@nonreentrant
def deposit(amount: uint256) -> uint256:
    """
    @notice Lock `amount` units of the caller's tokens, at least `LEAST_DEPOSIT`, as collateral of the caller's account.
    @return The account, opened by the first deposit.
    """
    return self._deposit(msg.sender, amount)


@external
@nonreentrant
def deposit_for(owner: address, amount: uint256) -> uint256:
    """
    @notice Lock `amount` units of the caller's tokens as collateral of `owner`'s account.
    @dev Reverts unless the vault then holds exactly `amount` more, and if it held less than it owes. A deposit stays below 2^96 units, all below 2^112.
    @return The account, opened by the first deposit.
    """
    return self._deposit(owner, amount)


@external
@nonreentrant
def withdraw(
    epoch: uint256,
    registers_hash: bytes32,
    state_root: bytes32,
    index: uint256,
    account: uint256,
    owner: address,
    amount: uint256,
    bitmap: uint256,
    siblings: DynArray[bytes32, keys.KEY_BITS],
):
    """
    @notice Pay a withdrawal that the state at the end of a confirmed epoch records, to the account's owner. Anybody
            may call; each withdrawal is paid once. Should the vault hold less than it owes (it cannot, unless the
            token takes money away), then everybody is paid the same part, whoever comes first; what would be paid nothing
            stays open.
    @param registers_hash With `state_root` the two halves of the machine hash that the court confirmed.
    @param index Number of the withdrawal; account, owner and amount are its leaf.
    @param bitmap Bit h is set iff the sibling at height h is not an empty subtree.
    @param siblings Those siblings, from height 0 upward.
    """
    machine: bytes32 = staticcall COURT.confirmed(epoch)
    assert machine != empty(bytes32), "not_confirmed"
    assert registers.machine_hash(state_root, registers_hash) == machine, "wrong_machine_hash"
    assert index < 2**36 and owner != empty(address), "withdrawal_leaf"
    leaf: Bytes[leaves.ACCOUNT_BYTES] = leaves.encode_withdrawal(
        leaves.Withdrawal(account=account, owner=owner, amount=amount)
    )
    root: bytes32 = empty(bytes32)
    same: bytes32 = empty(bytes32)
    root, same = witness.fold(keys.withdrawal_key(index), leaf, leaf, bitmap, siblings)
    assert root == state_root, "witness_path"
    assert not self.paid[index], "withdrawal_paid"

    self.paid[index] = True
    total: uint256 = self.total
    self.total = total - amount
    before: uint256 = staticcall TOKEN.balanceOf(self)
    payout: uint256 = amount
    if before < total:
        # Both factors are at most `total`, which is below 2^112. Rounded down: the part that is left only grows.
        payout = amount * before // total
        assert payout > 0, "vault_short"
    # Old tokens return nothing: that counts as true, an explicit false does not.
    assert extcall TOKEN.transfer(owner, payout, default_return_value=True), "token_transfer"
    assert staticcall TOKEN.balanceOf(self) + payout == before, "token_amount"
    log Withdrawn(index=index, owner=owner, account=account, amount=amount, payout=payout)


@internal
def _deposit(owner: address, amount: uint256) -> uint256:
    assert owner != empty(address), "zero_address"
    assert amount > 0, "zero_amount"
    assert amount >= LEAST_DEPOSIT, "deposit_too_small"
    # One bound after the other, so that their sum cannot overflow.
    assert amount < DEPOSIT_CAP and self.total + amount < CAP, "deposit_cap"

    account: uint256 = self.account_of[owner]
    if account == 0:
        account = self.account_count + 1
        assert account <= keys.MAX_ACCOUNT, "account_limit"
        self.account_count = account
        self.account_of[owner] = account
    before: uint256 = staticcall TOKEN.balanceOf(self)
    assert before >= self.total, "vault_short"
    self.total += amount
    assert extcall TOKEN.transferFrom(msg.sender, self, amount, default_return_value=True), "token_transfer"
    assert staticcall TOKEN.balanceOf(self) == before + amount, "token_amount"

    message: uint256 = extcall QUEUE.push(
        concat(
            DEPOSIT,
            convert(convert(account, uint32), bytes4),
            convert(owner, bytes20),
            convert(convert(amount, uint128), bytes16),
            empty(bytes32),
            empty(bytes32),
            empty(bytes19),
        )
    )
    log Deposited(owner=owner, account=account, amount=amount, message=message)
    return account
