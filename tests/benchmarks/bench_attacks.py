"""What each thing that anybody may send costs its sender, and what it costs the honest, on the terms of each preset.

Dollars at the prices of `tests/support/attacks.py`, which are in the attacker's favour; `ratio` is what he pays for
each dollar of theirs. Trials are left out: they hold against nobody who posts worst batches. For records that pay no
fee, `ratio` is the part of a batch's inputs that they take by the part of its steps (`tests/support/free_records.py`).
"""

from __future__ import annotations

from tests.support.attacks import compute_load, list_attacks
from tests.support.free_records import WAYS, play_free_records

from setoff.shared.params import PRESETS


def run() -> dict[str, float]:
    """Figures by preset and attack, and of records without a fee."""
    figures: dict[str, float] = {}
    for row in map(play_free_records, WAYS):
        figures[f"free records: {row.name}: steps a record"] = row.steps / row.inputs
        figures[f"free records: {row.name}: ratio"] = row.ratio
    for preset, terms in PRESETS.items():
        if terms.is_trial:
            continue
        figures[f"{preset}: worst epochs, part of a watcher's time"] = compute_load(terms)
        for attack in list_attacks(terms):
            name = f"{preset}: {attack.name}, {attack.unit}"
            figures[f"{name}: attacker_dollars"] = attack.attacker
            figures[f"{name}: honest_dollars"] = attack.honest
            figures[f"{name}: ratio"] = attack.ratio
            figures |= {f"{name}: {detail}": value for detail, value in attack.details.items()}
    return figures


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:80} {value:16,.6f}")
