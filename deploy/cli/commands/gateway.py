"""`setoff gateway`: bots that speak Hyperliquid's API trade here."""

from __future__ import annotations

import argparse
import asyncio

from setoff.deploy.cli import settings
from setoff.shared.gateway.service import run as serve
from setoff.shared.gateway.settings import GatewaySettings


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal."""
    asyncio.run(serve(settings.load_service(arguments, GatewaySettings)))
    return 0
