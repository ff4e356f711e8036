"""`setoff bench`."""

from __future__ import annotations

import argparse

from setoff.deploy.tools import bench


def run(arguments: argparse.Namespace) -> int:
    """Run the benchmarks."""
    return bench.main(
        arguments.names,
        only_list=arguments.list,
        json_file=arguments.report,
        as_json=arguments.json,
        is_held=arguments.hold,
    )
