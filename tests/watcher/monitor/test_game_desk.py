"""A watcher's console: what it is told of a lie, event by event, and the judged step run again."""

import asyncio
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from tests.support.nodes.faulty_node import FaultyNode
from tests.support.processes.behind_a_node import LIE, Scene, play_lie

from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.config.redis_server import RedisServer
from setoff.shared.machine.epoch import split_trace_position
from setoff.shared.wire.refusals import answer_errors
from setoff.watcher.context import Context
from setoff.watcher.monitor.game_desk import GameDesk


async def test_a_lie_is_told_from_its_claim_to_the_step_that_proved_it(
    anvil: Anvil, redis_server: RedisServer, node: FaultyNode, tmp_path: Path
) -> None:
    scene = Scene(anvil, redis_server, tmp_path, node)
    await asyncio.to_thread(play_lie, scene, lambda _: [])
    app = web.Application(middlewares=[answer_errors])
    app.add_routes(GameDesk(scene.settings, Context.open(scene.settings).store).routes())
    async with TestClient(TestServer(app)) as client:
        watch = await (await client.get("/v1/watch")).json()
        (lie,) = [claim for claim in watch["claims"] if claim["disputed_at"]]
        assert lie["epoch"] == LIE and lie["result"] != lie["end"] and watch["terms"]["bond"].isdecimal()
        game = await (await client.get(f"/v1/games/{lie['key']}")).json()
        kinds = [event["kind"] for event in game["events"]]
        assert kinds.count("Moved") == 7
        assert kinds.index("Claimed") < kinds.index("Joined") < kinds.index("Eliminated") < kinds.index("Installed")
        step = await (await client.get(f"/v1/games/{lie['key']}/step")).json()
        _, input_index, micro = split_trace_position(step["position"])
        assert (step["batch"], step["input"], step["step"]) == (LIE, input_index, micro)
        assert sorted(leaf == step["after"] for leaf in step["leaves_said"].values()) == [False, True]
        assert step["before"] != step["after"] and step["asked"]["kind"] == "Withdraw"
        assert any(leaf["changes"] for leaf in step["leaves"])
        missing = await client.get("/v1/games/0x12/step")
        assert missing.status == 404 and (await missing.json())["reason"] == "not_found"
