"""`setoff demo`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

EPILOG = """\
Everything is real: an L1 node, the contracts, an operator and two watchers as processes, order flow recorded at an
exchange. The operator claims a false end of one batch; the watchers find it, play the dispute game down to a single
step, and L1 judges it. In the end all facts are read back from the chain, and the exit code is 0 only if each holds.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Which lie, how long, where to."""
    from setoff.deploy.simulation.faults import CLAIM_LIES
    from setoff.shared.l1.da.registry import MODULES

    lies = "\n".join(f"  {name:<18} {text}" for name, text in CLAIM_LIES.items())
    parser.epilog = f"{EPILOG}\nLies:\n{lies}"
    parser.add_argument("--lie", choices=list(CLAIM_LIES), default="wrong-fill", metavar="NAME",
                        help="what the operator lies about; now %(default)s")  # fmt: skip
    parser.add_argument("--honest", action="store_true", help="no lie at all")
    parser.add_argument("--data", choices=[module.name for module in MODULES.values()], default="calldata",
                        help="where the operator posts the records; now %(default)s")  # fmt: skip
    parser.add_argument("--records", type=int, metavar="N", help="events of the recorded order flow to send")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="chooses keys and which orders are sent")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there, too")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep logs and state in a new folder there")


def run(arguments: argparse.Namespace) -> int:
    """Play it, print the summary; 0 only if everything was found on chain."""
    from setoff.deploy.simulation.demo.console import Console
    from setoff.deploy.simulation.demo.play import Play, Script
    from setoff.deploy.simulation.demo.report import print_summary
    from setoff.shared.errors import SetoffError
    from setoff.shared.params import DEMO

    folder = make_folder(arguments.keep)
    lie = "" if arguments.honest else arguments.lie
    script = Script(DEMO.check(), lie=lie, seed=arguments.seed, data=arguments.data)
    if arguments.records:
        share = arguments.records / script.records
        script = dataclasses.replace(
            script, records=arguments.records, trading_seconds=max(20.0, script.trading_seconds * share)
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever ends it, nothing is left running
    try:
        with Console() as console:
            summary = Play(script, folder, console).run()
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
    print_summary(summary, console.rich, console.seconds)
    text = json.dumps(summary.to_dict(), indent=2) + "\n"
    (folder / "summary.json").write_text(text)
    if arguments.json:
        arguments.json.write_text(text)
    print(f"logs, state and summary: {folder}{os.sep}")
    return 0 if summary.passed else 1


def make_folder(keep: Path | None) -> Path:
    """A new folder for logs and state, in `keep` or among the temporary ones."""
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="setoff-demo-"))
    keep.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=keep))
