"""The commands of `setoff`, by name: what each is for.

What may be typed after a name is in `arguments/`, in a module of the same name, and what is then done in `commands/`;
a sub-command may name another module there with `set_defaults(module=…)`. Modules of `arguments/` import no library but
the standard one's, so that help and completion are there at once; a module of `commands/` is imported when it is run.
"""

from __future__ import annotations

from typing import Final

COMMANDS: Final[dict[str, str]] = {
    "demo": "a whole market on this machine: trade, settle, and a lie that is caught",
    "devnet": "a development chain with the contracts deployed, to play with",
    "deploy": "put the contracts on a chain",
    "market": "list markets, change their parameters, name oracle signers: proposals on L1",
    "operator": "run an exchange",
    "watcher": "watch an exchange, and dispute what is false",
    "oracle": "feed an oracle: prices of several sources, signed, to the operator or through L1",
    "wallet": "make a key in a file, see its address, fill it on a development chain",
    "account": "your account at an exchange: money, positions, orders",
    "deposit": "lock collateral on L1",
    "gateway": "let bots trade that are written for Hyperliquid's API, unmodified",
    "trade": "place orders, change them, take them back; look at markets and books",
    "transfer": "move collateral to another account or sub-account",
    "agent": "let another key trade for your account",
    "backstop": "the vault behind liquidations: have a share of it",
    "receipts": "the operator's signed receipts: keep it to its word, or take its bond",
    "withdraw": "take collateral out, to L1",
    "exit": "take money out by whatever way is open: which, when, and why not sooner",
    "force": "any action through the L1 queue, with the operator or without it",
    "verify": "re-execute posted batches from L1 alone and compare with what is claimed",
    "proof": "an account as L1 has confirmed it, with what proves it; or check such a proof",
    "inspect": "explain a message, batch, record, step, leaf, hash or dispute, from L1 alone",
    "lab": "play disputes in a simulator: every known attack, random games, any number of liars",
    "scenario": "challenge games by script, checked on chain; or a lying party on its own",
    "bench": "measure: a record, a batch, a sweep, a history, gas",
    "completion": "print what makes a shell complete these commands: bash, zsh or fish",
    "version": "print the version, and whether the rules run compiled",
}
