"""A scenario of kind "exchange": the demo's play, with operator and watchers as processes of their own on anvil, and
with things going wrong on cue: processes killed, the chain rearranged, the node frozen, Redis spoilt."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Final, cast

from redis import Redis

from setoff.deploy.simulation.demo import play
from setoff.deploy.simulation.demo.console import Console
from setoff.deploy.simulation.demo.monitor import Monitor
from setoff.deploy.simulation.processes import OPERATOR_DATABASE, Processes
from setoff.deploy.simulation.scenario.ending import Ending
from setoff.deploy.simulation.scenario.report import Report
from setoff.deploy.simulation.scenario.script import Actor, Cue, Fault, Script
from setoff.shared.errors import ConfigError

BATCHES: Final = b"*:batch:*"


class Mischief:
    """Lets the faults of a script happen; called after every look at L1."""

    def __init__(self, script: Script, console: Console) -> None:
        self._console = console
        self._faults = list(script.faults)
        self._waiting: list[tuple[float, Fault]] = []
        self.done: list[str] = []

    def __call__(self, monitor: Monitor, processes: Processes) -> None:
        for fault in list(self._faults):
            cue = Cue.parse(fault.at)
            if len(monitor.named(cue.event)) >= cue.times:
                self._faults.remove(fault)
                self._waiting.append((time.monotonic() + cue.seconds, fault))
        for entry in list(self._waiting):
            if time.monotonic() >= entry[0]:
                self._waiting.remove(entry)
                self._do(entry[1], monitor, processes)

    def _do(self, fault: Fault, monitor: Monitor, processes: Processes) -> None:
        self._console.tell(f"{fault.kind} {fault.actor}", "bold cyan")
        self.done.append(fault.kind)
        chain = processes.devnet.chain
        if fault.kind == "restart":
            for name in processes_of(fault.actor):
                processes.running[name].kill()
                processes.running[name].start()
        elif fault.kind == "reorg":
            chain.l1.request("anvil_reorg", fault.depth, [])
        elif fault.kind == "outage":
            os.kill(chain.process.pid, signal.SIGSTOP)
            threading.Timer(fault.seconds, os.kill, (chain.process.pid, signal.SIGCONT)).start()
        elif fault.kind == "corrupt":
            self._console.tell(f"{spoil(processes.devnet.redis_url(OPERATOR_DATABASE + 1))} batches spoilt", "cyan")
        else:
            raise ConfigError("bad_config", f"fault.kind: {fault.kind} is for scenarios of kind court")


def processes_of(actor: str) -> list[str]:
    """The processes that are an actor; of the operator only the publisher, since clients hold on to the sequencer."""
    return {"operator": ["publisher"], "slanderer": ["watcher-1"], "watcher": ["watcher-1"]}[actor]


def spoil(url: str) -> int:
    """Change a byte in every batch that a Redis database holds; returns how many."""
    count = 0
    with Redis.from_url(url) as redis:
        for key in redis.scan_iter(BATCHES):
            value = cast("bytes | None", redis.get(key))
            if value:
                redis.set(key, value[:-1] + bytes([value[-1] ^ 1]))
                count += 1
    return count


def play_exchange(script: Script, console: Console, folder: Path) -> Report:
    """Run a scenario of kind "exchange"; logs and state are kept in `folder`. Raises SetoffError."""
    if (folder / "redis").exists():
        raise ConfigError("bad_config", f"{folder} has the state of another run, which would be taken up again")
    roles = {actor.name: actor for actor in script.actors}
    mischief = Mischief(script, console)
    if roles["operator"].dies:
        report = Ending(script, folder, console, mischief).run()
        check_mischief(report, script, mischief)
        return report
    watchers = roles["watcher"].count + ("slanderer" in roles)
    flow = script.flow
    demo = play.Script(
        script.params,
        lie=_lie_of(roles["operator"]),
        lie_from=max(roles["operator"].epoch, *(actor.epoch for actor in script.actors)) * script.params.epoch_batches,
        slander=_lie_of(roles["slanderer"]) if "slanderer" in roles else "",
        watchers=watchers,
        traders=flow.traders,
        records=flow.records,
        trading_seconds=flow.seconds,
        batch_interval=flow.batch_interval,
        confirmations=flow.confirmations,
        seed=flow.seed,
        patience=script.patience,
        hurries=True,
    )
    console.chapter(f"{script.name}: {script.text}")
    begun = time.monotonic()
    summary = play.Play(demo, folder, console, mischief).run()
    report = Report(script.name, script.text, list(summary.checks))
    causes = [cause for dispute in summary.disputes for cause in dispute.eliminated]
    wanted = set(script.expect.eliminated.values()) - {"any"}
    report.check("eliminations are as expected", set(causes) == wanted or (not wanted and "any" in
                 script.expect.eliminated.values()), ", ".join(causes) or "none")  # fmt: skip
    moves = sum(dispute.moves for dispute in summary.disputes)
    if script.expect.moves:
        least, most = script.expect.moves
        report.check(f"{least} to {most} moves", least <= moves <= most, str(moves))
    bound = script.expect.within * script.params.challenge_period
    for dispute in summary.disputes:
        took = dispute.claim_to_installation
        report.check(f"epoch {dispute.epoch} is installed within {bound:.0f} s", 0 <= took <= bound, f"{took} s")
    check_mischief(report, script, mischief)
    report.figures |= {
        "seconds": round(time.monotonic() - begun, 1),
        "moves": moves,
        "gas": {gas.kind: {"calls": gas.count, "failed": gas.failed, "mean": gas.mean} for gas in summary.gas},
        **{name: summary.facts[name] for name in ("batches", "records", "fills", "confirmed_epochs", "burnt_wei")},
    }
    report.disputes = [
        {
            "epoch": dispute.epoch,
            "histories": dispute.histories,
            "moves": dispute.moves,
            "out": [{"who": "a history", "cause": cause, "at": dispute.claim_to_elimination}
                    for cause in dispute.eliminated],
            "installed_at": dispute.claim_to_installation,
        }
        for dispute in summary.disputes
    ]  # fmt: skip
    return report


def check_mischief(report: Report, script: Script, mischief: Mischief) -> None:
    """Whether every fault of the script has happened."""
    missing = len(script.faults) - len(mischief.done)
    report.check("everything went wrong that was to go wrong", not missing, ", ".join(mischief.done) or "nothing")


def _lie_of(actor: Actor) -> str:
    return actor.lie.name if actor.lie else ""
