"""`setoff inspect`: a message, batch, epoch, record, step, leaf, hash or dispute in words, from L1 alone."""

from __future__ import annotations

import argparse

from setoff.deploy.cli.connections import open_reader
from setoff.deploy.cli.inspection.batches import explain_batch, explain_record
from setoff.deploy.cli.inspection.epochs import explain_epoch
from setoff.deploy.cli.inspection.games import explain_games
from setoff.deploy.cli.inspection.messages import explain_message
from setoff.deploy.cli.inspection.roots import explain_root
from setoff.deploy.cli.inspection.steps import explain_steps
from setoff.deploy.cli.inspection.told import Told
from setoff.deploy.cli.output import show, tell_progress
from setoff.deploy.cli.settings import load_client
from setoff.shared.errors import InputError
from setoff.shared.l1.chain import ChainReader
from setoff.shared.machine.leaf_names import list_fields, name_leaf, parse_leaf, read_leaf
from setoff.shared.sdk.replay import Replay


def run(arguments: argparse.Namespace) -> int:
    """Explain it; exit code 1 if something is not as it should be."""
    told = explain(arguments, open_reader(load_client(arguments)))
    tell_progress("")
    show(arguments, told.facts, *told.lines)
    return 1 if told.is_bad else 0


def explain(arguments: argparse.Namespace, reader: ChainReader) -> Told:
    """What was asked for."""
    if arguments.kind == "message":
        return explain_message(reader, arguments.number, _report)
    if arguments.kind == "batch":
        return explain_batch(reader, arguments.number, _report, is_whole=arguments.inputs)
    if arguments.kind == "epoch":
        return explain_epoch(reader, arguments.number, _report)
    if arguments.kind == "record":
        return explain_record(reader, arguments.number, _report)
    if arguments.kind == "step":
        return explain_steps(reader, arguments.batch, arguments.input, arguments.step, _report)
    if arguments.kind == "leaf":
        return explain_leaf(reader, parse_leaf(arguments.name), arguments.batch)
    if arguments.kind == "root":
        return explain_root(reader, arguments.hash, _report)
    return explain_games(reader, arguments.epoch, _report)


def explain_leaf(reader: ChainReader, key: int, batch: int | None) -> Told:
    """A leaf as a batch left it, by default the last one. Raises InputError("not_found") if that is not posted."""
    replay = Replay(reader, _report)
    replay.advance(None if batch is None else batch + 1)
    if batch is not None and replay.batches <= batch:
        raise InputError("not_found", f"batch {batch} is not on L1: there are {replay.batches}, from 0")
    value = replay.machine.state.values([key])[0]
    fields = read_leaf(key, value)
    when = f"after batch {replay.batches - 1}" if replay.batches else "before the first batch"
    lines = [f"{name_leaf(key)}, {when}:" if fields else f"{name_leaf(key)} is not there, {when}", *list_fields(fields)]
    return Told({"key": f"0x{key:x}", "batch": replay.batches - 1, "value": value, "fields": fields}, lines)


def _report(batch: int) -> None:
    tell_progress(f"batch {batch}")
