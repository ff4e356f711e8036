"""What the setting `feeds` may say, and what is wrong with what it may not."""

import re
import subprocess
from pathlib import Path

import pytest

from setoff.deploy.cli.main import main
from setoff.shared.errors import ConfigError
from setoff.shared.oracle.feeds import SourceName, parse_feeds
from setoff.shared.oracle.settings import OracleSettings

KRAKEN = "https://api.kraken.com/0/public/Ticker?pair=XBTUSD#/result/XXBTZUSD/c/0"


def test_sources_of_every_kind_by_market() -> None:
    text = f"btc-perp=ccxt:kraken:BTC/USDT:USDT, BTC-PERP={KRAKEN},2=file:a=b.txt , 2=replay:/x/y.csv,"
    assert parse_feeds(text) == {
        "BTC-PERP": (SourceName("ccxt", "kraken:BTC/USDT:USDT"), SourceName("https", KRAKEN.removeprefix("https:"))),
        "2": (SourceName("file", "a=b.txt"), SourceName("replay", "/x/y.csv")),
    }
    assert str(parse_feeds(text)["BTC-PERP"][1]) == KRAKEN
    assert parse_feeds("") == {}


def test_what_the_page_shows_can_be_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SETOFF_DEPLOYMENT", "SETOFF_RPC_URL"):
        monkeypatch.delenv(name, raising=False)
    page = (Path(__file__).resolve().parents[3] / "shared" / "oracle" / "README.md").read_text()
    for text in re.findall(r"feeds=(\S+)", page):
        sources = len(parse_feeds(text)["BTC-PERP"])
        assert not OracleSettings(feeds=text, min_sources=min(sources, 3)).find_conflicts()
    price, check = re.findall(r"^\$ (echo .*|setoff oracle check --set min_sources=1 .*)$", page, re.MULTILINE)
    subprocess.run(["bash", "-ec", price], check=True)
    assert main(check.split()[1:]) == 0
    assert "BTC-PERP: 78000, of 1 sources" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "BTC-PERP",
        "=file:x",
        "file:x",
        "BTC=kraken",
        "BTC=ccxt:kraken",
        "BTC=ccxt:../x:BTC/USD",
        "BTC=ftp://x",
        "BTC=https://",
        "BTC=https://x#price",
        "BTC=file:",
        "BTC=file:x,btc=file:x",
        "BTC=redis:x",
    ],
)
def test_what_is_no_feed_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match="bad_config: feeds: "):
        parse_feeds(text)
    with pytest.raises(ConfigError, match="feeds: "):
        OracleSettings.load(env={"SETOFF_ORACLE_FEEDS": text})


def test_a_market_with_fewer_sources_than_are_needed_is_told_before_it_starts() -> None:
    with pytest.raises(ConfigError, match="BTC has 1, min_sources is 3"):
        OracleSettings.load(env={"SETOFF_ORACLE_FEEDS": "BTC=file:x"})
    assert OracleSettings.load(env={"SETOFF_ORACLE_FEEDS": "BTC=file:x", "SETOFF_ORACLE_MIN_SOURCES": "1"}).sources


def test_a_file_may_have_them_as_a_list(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "oracle.toml"
    path.write_text(f"[oracle]\nmin_sources = 1\nfeeds = ['BTC=file:x', 'ETH={KRAKEN}']\n")
    assert list(OracleSettings.load(path, {}).sources) == ["BTC", "ETH"]
