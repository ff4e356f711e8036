"""Nobody makes the honest pay much more than he pays himself, and no row of the worst epochs outruns a watcher."""

from typing import Final

import pytest
from tests.support.attacks import compute_load, list_attacks
from tests.support.free_records import WAYS, play_free_records

from setoff.shared.params import PRESETS

FLOORS: Final = {
    "empty epochs": 1,
    "worst epochs, each disputed": 10,
    "lies about one epoch": 50,
    "false claims, to tie up bonds": 100,
    "forced records": 100,
    "orders that rest": 4,
    "holders of a lot": 0.2,
    "empty accounts": 3,
    "accounts with eight agents": 0.5,
}
"""The least that the attacker pays for each dollar of all the honest together, by attack."""
SERIOUS: Final = [name for name, terms in PRESETS.items() if not terms.is_trial]


@pytest.mark.parametrize("preset", SERIOUS)
def test_attacks_cost_the_attacker_in_proportion(preset: str) -> None:
    attacks = {attack.name: attack for attack in list_attacks(PRESETS[preset])}
    assert attacks.keys() == FLOORS.keys()
    for name, attack in attacks.items():
        assert attack.ratio >= FLOORS[name], (name, attack)


@pytest.mark.parametrize("preset", SERIOUS)
def test_one_worst_epoch_after_another_leaves_a_watcher_a_fifth_of_its_time(preset: str) -> None:
    assert 0.5 < compute_load(PRESETS[preset]) <= 0.8


@pytest.mark.parametrize("way", WAYS)
def test_a_record_without_a_fee_takes_no_more_than_its_share_of_the_steps(way: str) -> None:
    """So whoever floods a batch with them uses up its inputs first, as with any other records."""
    assert play_free_records(way).ratio >= 1
