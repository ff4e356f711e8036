"""What must hold of every single step, read from the few leaves that it touches."""

from tests.support.judge.bench import Step
from tests.support.machines.picture import Picture, count_credit


def check_conservation(step: Step) -> None:
    """A step changes what there is only by what the vault owes; and the sum of no market's positions."""
    if step.old == step.new:
        assert step.after.owed == step.before.owed, step.kind
        return
    before, after = Picture.of(step.old.items()), Picture.of(step.new.items())
    came = count_credit(step.after)[0] - count_credit(step.before)[0]
    assert after.money() - before.money() + came == step.after.owed - step.before.owed, step.kind
    assert after.withdrawn - before.withdrawn == max(0, step.before.owed - step.after.owed), step.kind
    old, new = before.lots(), after.lots()
    for market in old | new:
        same = old[market] == new[market]
        assert same or (step.kind == "sweep" and after.markets[market].settled), step.kind
