"""`setoff version`: what may be typed."""

from __future__ import annotations

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    """Nothing."""
