"""Who holds something: entered, visited, ranked, and taken out again; in words near and far."""

from tests.support.judge.judged_world import OK, JudgedWorld

from setoff.shared.state import keys

FAR = keys.sub_account(keys.MAX_ACCOUNT, keys.MAX_SUB)
"""The last account there can be, in the last word."""


def play_words(world: JudgedWorld) -> None:
    """Holders in the first word, in others near it, and in the last of all; each leaves, and its words with it."""
    world.begin(taker_fee=0, maker_fee=0)
    near, other = keys.sub_account(2, 1), keys.sub_account(3, 1)
    messages = [world.deposit(keys.MAX_ACCOUNT, 10_000), world.deposit(300, 10_000)]
    moved = [world.transfer(keys.get_master(account), account, 5_000) for account in (near, other, FAR)]
    assert world.batch(messages, moved) == [OK] * 5
    world.trade(1, 300, 100, 10)
    world.trade(near, FAR, 100, 10, order_slot=1)
    world.trade(other, FAR, 100, 10, order_slot=2)
    assert world.run(world.price(101)) == [OK]
    # Closed, opened again before any visit, and closed for good.
    world.trade(300, 1, 101, 10, order_slot=3)
    world.trade(1, 300, 101, 10, order_slot=4)
    world.trade(300, 1, 101, 10, order_slot=5)
    assert world.run(world.price(100)) == [OK]
    world.trade(FAR, near, 100, 10, order_slot=6)
    world.trade(FAR, other, 100, 10, order_slot=7)
    assert world.run(world.price(101), world.price(100)) == [OK] * 2
    assert world.took("strike") == 5
    assert not any(key >> keys.BODY_BITS == keys.HOLDERS for key, _ in world.machine.state.tree.items())


def play_both_sides(world: JudgedWorld) -> None:
    """One trade enters both, the next one side; an order that meets several enters each of them."""
    world.begin()
    world.trade(1, 2, 100, 10)
    world.trade(3, 2, 100, 10, order_slot=1)
    asks = [world.order(1, 1, 101, 5, order_slot=2), world.order(2, 1, 101, 5, order_slot=2)]
    assert world.run(*asks, world.order(4, 0, 101, 10)) == [OK] * 3
    assert world.took("enrol") == 4


def play_far_ranking(world: JudgedWorld) -> None:
    """Deleveraging looks through the holders of the market in liquidation, wherever they are."""
    world.begin(money=10_000, markets=2, maintenance_margin=90_000, taker_fee=0, maker_fee=0)
    assert world.batch([world.deposit(keys.MAX_ACCOUNT, 10**6)], [world.transfer(keys.MAX_ACCOUNT, FAR, 10**5)]) == [
        OK, OK,
    ]  # fmt: skip
    world.trade(1, 2, 100, 20, order_slot=1)
    world.trade(3, 4, 100, 10, order_slot=1)
    # Account 2 has more in the second market, of which nobody of the first knows; and fails by the first.
    world.trade(FAR, 2, 100, 850, order_slot=2, market=2)
    assert world.run(world.withdraw(2, 1_200)) + world.press(45) == [OK] * 3
    ranked = [step.before.market for step in world.steps if step.kind == "rank"]
    assert 2 in ranked and world.took("deleverage")


def play_nothing_left(world: JudgedWorld) -> None:
    """Who has closed, but still offers something there; and whose places are all taken by others (by hand)."""
    world.begin(markets=9, taker_fee=0, maker_fee=0)
    world.trade(1, 2, 100, 10, market=9)
    world.trade(2, 3, 100, 10, order_slot=1, market=9)
    world.trade(3, 1, 100, 10, order_slot=2, market=9)
    assert world.run(world.order(2, 1, 150, 5, order_slot=3, market=9)) == [OK]
    for number, position in enumerate(world.machine.state.account(3).positions):
        position.market = number + 1
        position.bids = 1
    world.machine.state.commit()
    assert world.run(world.price(100, 9)) == [OK]
    assert world.took("strike") == 3


SCENES = (play_words, play_both_sides, play_far_ranking, play_nothing_left)
