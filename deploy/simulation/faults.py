"""Named lies, for games on test networks: steppers that run the machine wrongly at one place and honestly from there.

A liar who only posts a wrong end loses at once; these know the whole history of their lie and can play every level of a
game, down to the one step that L1 judges. Who tells them: the
`lying_*.py` beside this file, which also have lies that are no fault of the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from setoff.shared.codec import records
from setoff.shared.config.settings import Settings
from setoff.shared.errors import ConfigError
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.data import ZERO
from setoff.shared.machine.epoch import EpochRun, Stepper, honest_step, used_inputs
from setoff.shared.machine.machine import Machine
from setoff.shared.rules import phases
from setoff.shared.state import keys

MAINNET: Final = 1
"""Chain id of Ethereum, where money is real."""

_Target = tuple[int, int, int]
"""Batch number, input index, micro-step."""


class Fault(NamedTuple):
    """A lie: whether it can be told at a step (seen from before it); what is done in its stead.

    `is_kept`: once told it is told again wherever it fits, because an honest step would mend it.
    """

    fits: Callable[[Machine, Batch, int, int], bool]
    act: Stepper
    is_kept: bool = False


def refuse_mainnet(settings: Settings) -> None:
    """Raises ConfigError where the settings are of a deployment with real money. (That the node serves the chain of the
    deployment, every service sees to itself.)"""
    if settings.load_deployment().chain_id == MAINNET:
        raise ConfigError("bad_config", "lies are for test networks")


def check_lie(name: str, names: Iterable[str]) -> None:
    """Raises ConfigError if `name` is none of the lies that a party can tell."""
    if name not in (known := list(names)):
        raise ConfigError("bad_config", f"there is no lie '{name}': {', '.join(known)}")


def plan_fault(name: str, start: Machine, batches: Sequence[Batch]) -> Stepper | None:
    """The stepper that tells the lie `name` at the last step of the epoch where it lasts, or None where there is none.

    A lie lasts if the epoch then ends elsewhere: a wrong price, for one, is healed by the next report.
    `start` is the machine before the epoch; it is not changed. Raises KeyError on a name that is not in `FAULTS`.
    """
    fault = FAULTS[name]
    targets: list[_Target] = []

    def look(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
        if fault.fits(machine, batch, input_index, micro):
            targets.append((batch.header.number, input_index, micro))
        honest_step(machine, batch, input_index, micro)

    honest_end = EpochRun(start, batches, ZERO, look).end
    for target in reversed(targets):
        stepper = _tell_at(target, fault)
        if EpochRun(start, batches, ZERO, stepper).end != honest_end:
            return stepper
    return None


def _tell_at(target: _Target, fault: Fault) -> Stepper:
    def step(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
        at = (batch.header.number, input_index, micro)
        is_told = at == target or (fault.is_kept and at > target and fault.fits(machine, batch, input_index, micro))
        run = fault.act if is_told else honest_step
        run(machine, batch, input_index, micro)

    return step


def _is_fetch_of(kind: int) -> Callable[[Machine, Batch, int, int], bool]:
    def fits(machine: Machine, batch: Batch, input_index: int, micro: int) -> bool:
        return micro == 0 and input_index < batch.header.inputs and batch.body(input_index)[0] == kind

    return fits


def _is_last_input(machine: Machine, batch: Batch, input_index: int, micro: int) -> bool:
    return micro == 0 and input_index == used_inputs(batch) - 1 and machine.regs.accounts > 0


def _is_fill(machine: Machine, batch: Batch, input_index: int, micro: int) -> bool:
    return micro > 0 and machine.regs.phase == phases.FILL


def _is_liquidation(machine: Machine, batch: Batch, input_index: int, micro: int) -> bool:
    """Whether the sweep visits an account below maintenance: an honest step then turns to its liquidation."""
    if micro == 0 or machine.regs.phase != phases.SWEEP:
        return False
    twin = machine.copy()
    honest_step(twin, batch, input_index, micro)
    return twin.regs.phase not in (phases.WORK, phases.STRIKE)


def _is_sample(machine: Machine, batch: Batch, input_index: int, micro: int) -> bool:
    """Whether a crank samples a market's premium and pays what funding is due."""
    return micro > 0 and machine.regs.phase == phases.SAMPLE


def _change_root(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    honest_step(machine, batch, input_index, micro)
    machine.state.account(1).collateral += 1


def _fill_at_wrong_price(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    regs = machine.regs
    maker, size = keys.handle_account(regs.cursor), regs.size
    honest_step(machine, batch, input_index, micro)
    gain = (size - regs.size) * machine.state.market(regs.market).unit
    machine.state.account(regs.account).collateral += gain
    machine.state.account(maker).collateral -= gain


def _forge_withdrawal(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    honest_step(machine, batch, input_index, micro)
    regs, account = machine.regs, machine.state.account(1)
    withdrawal = machine.state.withdrawal(regs.withdrawals)
    withdrawal.account, withdrawal.owner, withdrawal.amount = 1, account.owner, 1_000_000
    account.collateral -= withdrawal.amount
    regs.withdrawals += 1


def _skip_record(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    machine.regs.input_index = input_index
    machine.regs.steps += 1


def _report_wrong_price(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    honest_step(machine, batch, input_index, micro)
    machine.state.market(machine.regs.market).mark += 1


def _double_deposit(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    honest_step(machine, batch, input_index, micro)
    deposit = records.decode_deposit(batch.body(input_index))
    machine.state.account(deposit.account).collateral += deposit.amount


def _take_fee(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    honest_step(machine, batch, input_index, micro)
    machine.state.account(machine.regs.account).collateral -= 1
    machine.state.market(machine.regs.market).insurance += 1


def _pass_over(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    machine.regs.skip_account = 1
    honest_step(machine, batch, input_index, micro)


def _pay_wrong_funding(machine: Machine, batch: Batch, input_index: int, micro: int) -> None:
    honest_step(machine, batch, input_index, micro)
    machine.state.market(machine.regs.market).funding += phases.FUNDING_ONE


FAULTS: Final[dict[str, Fault]] = {
    "wrong-root": Fault(_is_last_input, _change_root),
    "wrong-fill": Fault(_is_fill, _fill_at_wrong_price),
    "forged-withdrawal": Fault(_is_last_input, _forge_withdrawal),
    "skipped-record": Fault(_is_fetch_of(records.ORDER), _skip_record),
    "wrong-price": Fault(
        lambda machine, batch, input_index, micro: machine.regs.phase == phases.REPORT and micro > 0,
        _report_wrong_price,
    ),
    "double-deposit": Fault(_is_fetch_of(records.DEPOSIT), _double_deposit),
    "skipped-liquidation": Fault(_is_liquidation, _pass_over, is_kept=True),
    "wrong-funding": Fault(_is_sample, _pay_wrong_funding),
    "extra-fee": Fault(_is_fill, _take_fee),
}
"""How each of `STEP_LIES` is told."""
