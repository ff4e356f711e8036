"""Which Redis a watcher's commands have asked, and what they say of one that is dead: all the same."""

from dataclasses import replace
from pathlib import Path

import pytest

from setoff.deploy.cli.main import main
from setoff.deploy.simulation.sample_traffic import SampleTraffic, play_epoch
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.config.shown import hide
from setoff.shared.errors import ConfigError
from setoff.watcher.context import open_store
from setoff.watcher.monitor.dispute_monitor import DisputeMonitor
from setoff.watcher.monitor.doctor import Doctor
from setoff.watcher.pulse import Pulse
from setoff.watcher.service import Watcher
from setoff.watcher.settings import WatcherSettings

DEAD = "redis://user:secret@127.0.0.1:9/0?password=secret"


def status(settings: WatcherSettings) -> int:
    words = {"deployment": settings.deployment, "redis_url": settings.redis_url, "redis_dir": settings.redis_dir}
    return main(["watcher", "status", *(f"--set={name}={value}" for name, value in words.items())])


def test_a_password_is_never_shown() -> None:
    assert hide(DEAD) == "redis://127.0.0.1:9/0"
    assert hide("unix://user:secret@/run/redis.sock?db=2") == "unix:///run/redis.sock"


def test_status_says_which_redis_it_asked(settings: WatcherSettings, capsys: pytest.CaptureFixture[str]) -> None:
    Pulse(open_store(settings, settings.load_deployment()), "archivist").beat()
    assert status(settings) == 1
    said = capsys.readouterr().out
    assert f"asked: {settings.redis_url}, keys setoff:" in said and "PROBLEM: no follower runs" in said


def test_status_starts_no_server_to_look_at(
    settings: WatcherSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = replace(settings, redis_url="", redis_dir=tmp_path / "own")
    assert status(own) == 1
    assert (
        f"nothing runs: no Redis server answers as the watcher's own in {tmp_path / 'own'}" in capsys.readouterr().out
    )
    assert not own.redis_dir.exists()


def test_all_say_the_same_of_a_redis_that_is_dead(
    settings: WatcherSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = replace(settings, redis_url=DEAD)
    with pytest.raises(ConfigError) as refused:
        Watcher(dead)
    said = str(refused.value)
    assert "redis_url: no Redis server answers at redis://127.0.0.1:9/0" in said and "secret" not in said
    doctor = Doctor(dead, lambda chain_id, vault: play_epoch(SampleTraffic(chain_id, vault)), steps=100)
    assert [(finding.is_fatal, finding.seen) for finding in doctor._redis_keeps()] == [(True, said)]
    assert said in [alert.text for alert in DisputeMonitor(dead).look().alerts]
    assert status(dead) == 3
    assert said in capsys.readouterr().err


def test_a_server_that_runs_in_the_folder_is_found(tmp_path: Path) -> None:
    settings = WatcherSettings(redis_dir=tmp_path)
    assert RedisServer.find(settings) is None
    with RedisServer.embed(tmp_path) as server:
        found = RedisServer.find(settings)
        assert found is not None and found.url == server.url and not found.is_embedded
