"""What it takes to judge a step of each kind at its worst: most leaves, every sibling of every path given, all cold.

Gas is that of a transaction which calls `judge.step` and nothing else: intrinsic gas, calldata at 16/4 a byte and the
execution, or the floor of 40/10 a byte (EIP-7623), whichever is more. The court's own part of `prove` comes on top.
"""

from __future__ import annotations

from tests.support.judge.step_gas import measure


def run() -> dict[str, float]:
    """Gas and bytes of calldata by kind of step, and the largest of all."""
    worst = measure(is_cold=True)
    figures: dict[str, float] = {"largest of all_gas": max(worst.gas.values())}
    figures["largest of all_bytes"] = max(worst.sizes.values())
    figures["most leaves"] = max(worst.leaves.values())
    for kind, gas in sorted(worst.gas.items(), key=lambda entry: -entry[1]):
        figures |= {f"{kind}_gas": gas, f"{kind}_bytes": worst.sizes[kind]}
    return figures


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:32} {value:12,.0f}")
