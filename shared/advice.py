"""What to do about an error, where commands that end with it and services that wait say the same."""

from __future__ import annotations

from typing import Final

UNREACHABLE: Final = "look whether the L1 node runs, and at this address: --rpc, SETOFF_RPC_URL"
"""After "rpc_unreachable" of an L1 node."""
SIGNER: Final = "look whether the remote signer runs, and at this address: --key, or the setting `key`"
"""The same of a remote signer."""
