"""The times and amounts of the questions' page are those of the presets."""

from pathlib import Path

from setoff.shared.params import ETHER, MAINNET, TESTNET

PAGE = " ".join((Path(__file__).resolve().parents[2] / "shared" / "FAQ.md").read_text().split())
DAY, HOUR, MINUTE = 86_400, 3_600, 60


def test_the_times_are_those_of_the_presets() -> None:
    for words, name, mainnet, testnet in (
        ("older than a day [ten minutes]", "force_delay", DAY, 10 * MINUTE),
        ("After three days [two hours] of silence", "silence", 3 * DAY, 2 * HOUR),
        ("after seven [one] anybody may end", "wind_down", 7 * DAY, DAY),
        ("challenge period of seven days [an hour]", "challenge_period", 7 * DAY, HOUR),
        ("wait for three days [ten minutes]", "listing_delay", 3 * DAY, 10 * MINUTE),
        ("a bond of 32 ether [1]", "receipt_bond", 32 * ETHER, ETHER),
    ):
        assert words in PAGE and (getattr(MAINNET, name), getattr(TESTNET, name)) == (mainnet, testnet), words
