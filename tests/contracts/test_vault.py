"""Custody: what comes in is queued and counted, what goes out was confirmed, once."""

from pathlib import Path

import pytest
from tests.support.courts.arena import OTHER_TRADER, PASSER_BY, THIRD_TRADER, TRADER, Arena, T
from tests.support.evm import Contract, address, raw, reverts
from tests.support.own_contracts import ODD_TOKEN, RELAY

from setoff.contracts import compiler
from setoff.shared.codec import records
from setoff.shared.codec.eip712 import domain_separator
from setoff.shared.codec.hashing import keccak
from setoff.shared.codec.records import DepositBody
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state.keys import withdrawal_key
from setoff.shared.state.leaves import Withdrawal, encode_withdrawal
from setoff.shared.state.tree import Tree

ZERO = "0x" + 40 * "0"
REGISTERS = keccak(b"registers")


def leaf(account: int, owner: str, amount: int) -> bytes:
    withdrawal = Withdrawal()
    withdrawal.account, withdrawal.owner, withdrawal.amount = account, raw(owner), amount
    return encode_withdrawal(withdrawal)


class Withdrawals:
    """A state tree with withdrawals in it, among other leaves."""

    def __init__(self, *granted: tuple[int, str, int]) -> None:
        leaves = {
            withdrawal_key(index): leaf(account, owner, amount)
            for index, (account, owner, amount) in enumerate(granted)
        }
        self.tree = Tree([*leaves.items(), (1 << 36 | 1, b"\1" * 640)])
        self.granted = granted

    @property
    def machine(self) -> bytes:
        return keccak(self.tree.root + REGISTERS)

    def arguments(self, index: int, epoch: int = 0) -> list[object]:
        path = self.tree.prove(withdrawal_key(index))
        account, owner, amount = self.granted[index]
        return [epoch, REGISTERS, self.tree.root, index, account, owner, amount, path.bitmap, list(path.siblings)]


def confirm(arena: Arena, machine: bytes, epoch: int = 0) -> None:
    start = arena.court.start_of(epoch)
    key = arena.claim(machine, start, epoch)
    arena.warp(T)
    arena.court.install(key, machine)
    arena.court.advance(epoch)
    assert arena.court.confirmed(epoch) == machine


def deposit(arena: Arena, owner: str, amount: int) -> int:
    arena.token.mint(owner, amount, sender=owner)
    arena.token.approve(arena.vault.address, amount, sender=owner)
    account: int = arena.vault.deposit(amount, sender=owner)
    return account


def test_numbers_accounts_densely_and_queues_deposits(arena: Arena) -> None:
    assert deposit(arena, TRADER, 5) == 1
    (message,) = arena.chain.last.named("MessageQueued")
    assert message["body"] == records.encode(DepositBody(1, raw(TRADER), 5))
    assert arena.chain.last.named("Deposited") == [{"owner": TRADER, "account": 1, "amount": 5, "message": 0}]
    assert deposit(arena, OTHER_TRADER, 7) == 2
    assert deposit(arena, TRADER, 11) == 1
    (message,) = arena.chain.last.named("MessageQueued")
    assert message["body"] == records.encode(DepositBody(1, raw(TRADER), 11))
    assert (arena.vault.total(), arena.token.balanceOf(arena.vault.address)) == (23, 23)
    assert arena.vault.account_of(THIRD_TRADER) == 0


def test_deposits_for_others(arena: Arena) -> None:
    arena.token.mint(TRADER, 10)
    arena.token.approve(arena.vault.address, 10, sender=TRADER)
    assert arena.vault.deposit_for(OTHER_TRADER, 4, sender=TRADER) == 1
    assert arena.vault.account_of(OTHER_TRADER) == 1
    assert arena.vault.account_of(TRADER) == 0
    assert arena.token.balanceOf(TRADER) == 6
    with reverts("zero_address"):
        arena.vault.deposit_for(ZERO, 4, sender=TRADER)


def test_refuses_nothing_and_what_is_not_there(arena: Arena) -> None:
    with reverts("zero_amount"):
        arena.vault.deposit(0, sender=TRADER)
    with reverts("token_allowance"):
        arena.vault.deposit(1, sender=TRADER)
    arena.token.approve(arena.vault.address, 2**256 - 1, sender=TRADER)
    with reverts("token_balance"):
        arena.vault.deposit(1, sender=TRADER)


def test_takes_no_deposit_below_its_least(arena: Arena) -> None:
    queue = arena.chain.predict(1)
    vault = arena.chain.deploy("vault", arena.token.address, queue, arena.court.address, 50)
    assert arena.chain.deploy("queue", vault.address, arena.inbox.address, TRADER, 0, 0, 1).address == queue
    arena.token.mint(TRADER, 1_000)
    arena.token.approve(vault.address, 1_000, sender=TRADER)
    assert vault.LEAST_DEPOSIT() == 50
    for amount in (1, 49):
        with reverts("deposit_too_small"):
            vault.deposit(amount, sender=TRADER)
    assert vault.deposit(50, sender=TRADER) == 1
    with reverts("deposit_too_small"):  # nor one more to an account that is there: it is a message as any
        vault.deposit_for(TRADER, 49, sender=TRADER)
    assert (vault.total(), vault.account_count()) == (50, 1)


def test_bounds_a_deposit(arena: Arena) -> None:
    cap = phases.MAX_AMOUNT
    arena.token.mint(TRADER, 2**200)
    arena.token.approve(arena.vault.address, 2**256 - 1, sender=TRADER)
    for amount in (cap, 2**112, 2**128, 2**256 - 1):
        with reverts("deposit_cap"):
            arena.vault.deposit(amount, sender=TRADER)
    arena.vault.deposit(cap - 1, sender=TRADER)
    (message,) = arena.chain.last.named("MessageQueued")
    assert message["body"] == records.encode(DepositBody(1, raw(TRADER), cap - 1))


def test_bounds_what_it_holds_and_for_how_many(arena: Arena, tmp_path: Path) -> None:
    """With smaller bounds in the place of the real ones, which take too many deposits to reach."""
    text = (compiler.ROOT / "vault.vy").read_text()
    for real, small in (("CAP: constant(uint256) = 2**112", "CAP: constant(uint256) = 100"), ("keys.MAX_ACCOUNT", "2")):
        assert text.count(real) == 1
        text = text.replace(real, small)
    (tmp_path / "vault.vy").write_text(text)
    queue = arena.chain.predict(1)
    vault = arena.chain.deploy(tmp_path / "vault.vy", arena.token.address, queue, arena.court.address, 1)
    assert arena.chain.deploy("queue", vault.address, arena.inbox.address, TRADER, 0, 0, 1).address == queue
    arena.token.mint(TRADER, 1000)
    arena.token.approve(vault.address, 1000, sender=TRADER)
    vault.deposit(50, sender=TRADER)
    with reverts("deposit_cap"):
        vault.deposit(50, sender=TRADER)
    vault.deposit(10, sender=TRADER)
    assert vault.deposit_for(OTHER_TRADER, 1, sender=TRADER) == 2
    with reverts("account_limit"):
        vault.deposit_for(THIRD_TRADER, 1, sender=TRADER)
    vault.deposit_for(OTHER_TRADER, 38, sender=TRADER)
    with reverts("deposit_cap"):
        vault.deposit(1, sender=TRADER)


def test_pays_each_withdrawal_once_to_its_owner(arena: Arena) -> None:
    deposit(arena, TRADER, 100)
    state = Withdrawals((1, TRADER, 30), (2, OTHER_TRADER, 50), (1, TRADER, 30))
    confirm(arena, state.machine)
    for index, (account, owner, amount) in list(enumerate(state.granted))[:2]:
        before = arena.token.balanceOf(owner)
        arena.vault.withdraw(*state.arguments(index), sender=PASSER_BY)
        assert arena.chain.last.named("Withdrawn") == [
            {"index": index, "owner": owner, "account": account, "amount": amount, "payout": amount}
        ]
        assert arena.token.balanceOf(owner) == before + amount
        with reverts("withdrawal_paid"):
            arena.vault.withdraw(*state.arguments(index), sender=owner)
    assert arena.vault.total() == arena.token.balanceOf(arena.vault.address) == 20
    assert (arena.vault.paid(0), arena.vault.paid(1), arena.vault.paid(2)) == (True, True, False)


def test_a_withdrawal_paid_from_one_epoch_is_paid_in_all(arena: Arena) -> None:
    arena.post_epochs(1)
    deposit(arena, TRADER, 100)
    state = Withdrawals((1, TRADER, 30))
    confirm(arena, state.machine)
    later = Withdrawals((1, TRADER, 30), (1, OTHER_TRADER, 20))
    confirm(arena, later.machine, epoch=1)
    arena.vault.withdraw(*state.arguments(0), sender=TRADER)
    with reverts("withdrawal_paid"):
        arena.vault.withdraw(*later.arguments(0, epoch=1), sender=TRADER)
    arena.vault.withdraw(*later.arguments(1, epoch=1), sender=TRADER)


def test_pays_nothing_before_confirmation(arena: Arena) -> None:
    deposit(arena, TRADER, 100)
    state = Withdrawals((1, TRADER, 30))
    for epoch in (0, 1, 2**64, 2**256 - 1):
        with reverts("" if epoch == 2**256 - 1 else "not_confirmed"):
            arena.vault.withdraw(*state.arguments(0, epoch), sender=TRADER)
    key = arena.claim(state.machine)
    arena.warp(T)
    with reverts("not_confirmed"):
        arena.vault.withdraw(*state.arguments(0), sender=TRADER)
    arena.court.install(key, state.machine)
    with reverts("not_confirmed"):
        arena.vault.withdraw(*state.arguments(0), sender=TRADER)
    arena.court.advance(0)
    arena.vault.withdraw(*state.arguments(0), sender=TRADER)


def test_refuses_forged_withdrawals(arena: Arena) -> None:
    deposit(arena, TRADER, 100)
    state = Withdrawals((1, TRADER, 30), (2, OTHER_TRADER, 10))
    confirm(arena, state.machine)
    good = state.arguments(0)
    siblings = good[8]
    assert isinstance(siblings, list)
    for place, forged, reason in (
        (1, keccak(b"other registers"), "wrong_machine_hash"),
        (2, keccak(b"other root"), "wrong_machine_hash"),
        (3, 1, "witness_path"),
        (3, 2**36, "withdrawal_leaf"),
        (3, 2**256 - 1, "withdrawal_leaf"),
        (4, 2, "witness_path"),
        (5, THIRD_TRADER, "witness_path"),
        (5, ZERO, "withdrawal_leaf"),
        (6, 31, "witness_path"),
        (6, 2**256 - 1, "witness_path"),
        (7, 0, "witness_path"),
        (7, int(str(good[7])) | 1 << 40, "witness_path"),
        (8, siblings[:-1], "witness_path"),
        (8, [*siblings, siblings[0]], "witness_path"),
        (8, siblings[::-1] if len(siblings) > 1 else [bytes(32)], "witness_path"),
    ):
        arguments = [*good[:place], forged, *good[place + 1 :]]
        with reverts(reason):
            arena.vault.withdraw(*arguments, sender=TRADER)
    # Another kind of leaf with the same bytes under it is no withdrawal, whatever index names it.
    other = Tree([(1 << 36 | 5, leaf(1, TRADER, 30))])
    path = other.prove(1 << 36 | 5)
    forged_arena = Arena()
    confirm(forged_arena, keccak(other.root + REGISTERS))
    with reverts("withdrawal_leaf"):
        forged_arena.vault.withdraw(
            0, REGISTERS, other.root, (1 << 36 | 5) ^ 8 << 36, 1, TRADER, 30, path.bitmap, list(path.siblings)
        )
    with reverts("witness_path"):
        forged_arena.vault.withdraw(0, REGISTERS, other.root, 5, 1, TRADER, 30, path.bitmap, list(path.siblings))


def test_starts_from_the_machine_of_its_own_domain(arena: Arena) -> None:
    domain = domain_separator(arena.chain.chain_id, raw(arena.vault.address))
    assert arena.genesis == Machine.genesis(domain).hash()


def vault_with(arena: Arena, mode: int) -> tuple[Contract, Contract]:
    """(token, vault) with an odd token, on the arena's court."""
    chain = arena.chain
    token = chain.deploy(ODD_TOKEN, mode)
    queue = chain.predict(1)
    vault = chain.deploy("vault", token.address, queue, arena.court.address, 1)
    assert chain.deploy("queue", vault.address, arena.inbox.address, PASSER_BY, 0, 0, 1).address == queue
    token.mint(TRADER, 1000)
    return token, vault


@pytest.mark.parametrize(("mode", "reason"), [(1, "token_transfer"), (2, "token_amount"), (3, "token_amount")])
def test_believes_balances_and_not_tokens(arena: Arena, mode: int, reason: str) -> None:
    _, vault = vault_with(arena, mode)
    with reverts(reason):
        vault.deposit(100, sender=TRADER)
    assert (vault.total(), vault.account_count()) == (0, 0)


def test_takes_tokens_that_return_nothing(arena: Arena) -> None:
    token, vault = vault_with(arena, 0)
    assert vault.deposit(100, sender=TRADER) == 1
    state = Withdrawals((1, OTHER_TRADER, 60))
    confirm(arena, state.machine)
    vault.withdraw(*state.arguments(0), sender=PASSER_BY)
    assert (token.balanceOf(OTHER_TRADER), vault.total()) == (60, 40)


def test_a_failed_payment_leaves_the_withdrawal_open(arena: Arena) -> None:
    token, vault = vault_with(arena, 4)
    vault.deposit(100, sender=TRADER)
    state = Withdrawals((1, OTHER_TRADER, 60))
    confirm(arena, state.machine)
    token.spoil()
    with reverts("token_transfer"):
        vault.withdraw(*state.arguments(0), sender=PASSER_BY)
    assert not vault.paid(0)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_short_vault_pays_everybody_the_same_part(arena: Arena, order: tuple[int, ...]) -> None:
    token, vault = vault_with(arena, 4)
    vault.deposit(1000, sender=TRADER)
    amounts = {TRADER: 301, OTHER_TRADER: 499, THIRD_TRADER: 200}
    state = Withdrawals(*((1, owner, amount) for owner, amount in amounts.items()))
    confirm(arena, state.machine)
    token.burn(vault.address, 400)
    owners = list(amounts)
    for index in order:
        before = token.balanceOf(owners[index])
        vault.withdraw(*state.arguments(index), sender=PASSER_BY)
        (event,) = arena.chain.last.named("Withdrawn")
        payout = token.balanceOf(owners[index]) - before
        assert (event["amount"], event["payout"]) == (amounts[owners[index]], payout)
        # 60 of 100, at most a unit less for whoever comes first and a unit more for who comes last
        assert abs(payout - amounts[owners[index]] * 60 // 100) <= 1
    assert (token.balanceOf(vault.address), vault.total()) == (0, 0)


def test_a_short_vault_takes_no_deposits(arena: Arena) -> None:
    token, vault = vault_with(arena, 4)
    vault.deposit(100, sender=TRADER)
    token.burn(vault.address, 1)
    with reverts("vault_short"):
        vault.deposit(100, sender=TRADER)
    token.mint(vault.address, 1)
    vault.deposit(100, sender=TRADER)
    assert vault.total() == 200


def test_a_withdrawal_waits_while_the_vault_is_empty(arena: Arena) -> None:
    token, vault = vault_with(arena, 4)
    vault.deposit(100, sender=TRADER)
    state = Withdrawals((1, OTHER_TRADER, 60))
    confirm(arena, state.machine)
    token.burn(vault.address, 100)
    with reverts("vault_short"):
        vault.withdraw(*state.arguments(0), sender=PASSER_BY)
    assert not vault.paid(0)
    token.mint(vault.address, 10)
    vault.withdraw(*state.arguments(0), sender=PASSER_BY)
    assert (token.balanceOf(OTHER_TRADER), vault.total(), vault.paid(0)) == (6, 40, True)


def test_needs_a_token_that_is_a_contract(arena: Arena) -> None:
    with reverts("not_a_contract"):
        arena.chain.deploy("vault", address("nobody"), arena.queue.address, arena.court.address, 1)


def test_takes_no_ether(arena: Arena) -> None:
    for contract in (arena.vault, arena.inbox, arena.queue, arena.court, arena.token):
        with reverts(""):
            arena.chain.call(contract.address, b"", sender=TRADER, value=1)
    relay = arena.chain.deploy(RELAY)
    with reverts(""):
        relay.forward(arena.court.address, b"", sender=TRADER, value=1)
