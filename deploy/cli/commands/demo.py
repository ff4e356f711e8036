"""`setoff demo`."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from setoff.deploy.cli.output import show

if TYPE_CHECKING:
    from setoff.deploy.simulation.demo.summary import Summary


def run(arguments: argparse.Namespace) -> int:
    """Play it, print the summary; 0 only if everything was found on chain."""
    from rich.console import Console as RichConsole

    from setoff.deploy.simulation.demo.console import Console
    from setoff.deploy.simulation.demo.play import Play, Script
    from setoff.deploy.simulation.demo.report import print_summary
    from setoff.shared.errors import SetoffError
    from setoff.shared.l1.da.registry import find_module
    from setoff.shared.params import DEMO

    folder = make_folder(arguments.keep)
    lie = "" if arguments.honest else arguments.lie
    find_module(arguments.data)
    script = Script(DEMO.check(), lie=lie, seed=arguments.seed, data=arguments.data)
    if arguments.records:
        share = arguments.records / script.records
        script = dataclasses.replace(
            script, records=arguments.records, trading_seconds=max(20.0, script.trading_seconds * share)
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever ends it, nothing is left running
    try:
        with Console(RichConsole(stderr=True, highlight=False) if arguments.json else None) as console:
            summary = Play(script, folder, console, stay=_stay if arguments.console else None).run()
    except SetoffError as error:
        print(f"setoff: the demo failed: {error}\nlogs and state: {folder}", file=sys.stderr)
        return 1
    except Exception:
        traceback.print_exc()
        print(f"setoff: the demo failed\nlogs and state: {folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"setoff: the demo was interrupted\nlogs and state: {folder}", file=sys.stderr)
        return 130
    if not arguments.json:
        print_summary(summary, console.rich, console.seconds)
    text = json.dumps(summary.to_dict(), indent=2) + "\n"
    (folder / "summary.json").write_text(text)
    if arguments.report:
        arguments.report.write_text(text)
    show(arguments, summary.to_dict(), f"logs, state and summary: {folder}{os.sep}")
    return 0 if summary.passed else 1


def _stay(summary: Summary, urls: list[str]) -> None:
    """Keep everything running until Ctrl-C."""
    verdict = "every fact was found on chain" if summary.passed else "NOT every fact was found on chain"
    print(f"the demo is over, {verdict}; everything still runs, until Ctrl-C:", *urls, sep="\n  ", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)


def make_folder(keep: Path | None) -> Path:
    """A new folder for logs and state, in `keep` or among the temporary ones."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="setoff-demo-"))
    keep.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=keep))
