"""The machine that the publisher keeps, as watchers get it from the operator."""

from tests.support.processes.serving import serving

from setoff.operator.publisher.snapshot import write_start
from setoff.operator.sequencer.kept_start import KeptStart
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.machine.machine import Machine
from setoff.shared.wire.snapshots import SnapshotDesk
from setoff.watcher.execution.snapshot_peers import SnapshotPeers
from setoff.watcher.server import make_app
from setoff.watcher.store import Store


def test_watchers_get_the_confirmed_start(redis_server: RedisServer) -> None:
    with redis_server.client() as redis:
        first, second = Machine.genesis(bytes(32)), Machine.genesis(bytes(32), 7)
        first.state.account(1).collateral = 5
        kept = KeptStart(redis, "setoff:test")

        with serving(lambda: make_app(SnapshotDesk(kept.list, kept.measure, kept.read).routes())) as url:
            peers = SnapshotPeers(Store(redis, "setoff:test:watcher"), [url], 1 << 20)
            assert peers.list() == set() and peers.fetch(first.hash()) is None
            write_start(redis, "setoff:test", 3, bytes(32), first)
            taken = peers.fetch(first.hash())
            assert taken is not None and taken.hash() == first.hash()
            write_start(redis, "setoff:test", 4, bytes(32), second)
            taken = peers.fetch(second.hash())
            assert taken is not None and taken.regs.backstop_delay == 7
            assert peers.fetch(first.hash()) is None, "the publisher has gone on"
            assert [*peers._trusted()] == [url]
