"""The console's files over HTTP: the headers, what is packed, what is not there."""

import gzip
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from setoff.operator.settings import OperatorSettings
from setoff.shared.console.serving import Console, make_policy
from setoff.shared.errors import ConfigError
from setoff.shared.wire.refusals import answer_errors

SCRIPT = "export const text = 'a line';\n" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Setoff</title>")
    (tmp_path / "assets" / "main-abc.js").write_text(SCRIPT)
    (tmp_path.parent / "secret").write_text("not of the console")
    return tmp_path


def serve(folder: str, rpc_url: str = "", blobs_url: str = "") -> TestClient[web.Request, web.Application]:
    app = web.Application(middlewares=[answer_errors])
    settings = OperatorSettings(console=folder, console_rpc_url=rpc_url, console_blobs_url=blobs_url)
    app.add_routes(Console(settings, "operator").routes())
    return TestClient(TestServer(app))


async def test_every_file_comes_with_headers_that_let_nothing_else_run(built: Path) -> None:
    async with serve(str(built), "http://127.0.0.1:8545/key", "http://watcher:8080/") as client:
        for name in ("", "index.html", "assets/main-abc.js", "config.json"):
            answer = await client.get(f"/console/{name}")
            assert answer.status == 200
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
            assert (
                "connect-src 'self' http://127.0.0.1:8545 http://watcher:8080;" in policy
                and "unsafe-inline" not in policy
            )
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"
        assert await (await client.get("/console/config.json")).json() == {
            "role": "operator",
            "rpc_url": "http://127.0.0.1:8545/key",
            "blobs_url": "http://watcher:8080",
        }


async def test_what_is_named_by_its_hash_is_kept_and_the_page_is_asked_for(built: Path) -> None:
    async with serve(str(built)) as client:
        assert (await client.get("/console/")).headers["Cache-Control"] == "no-cache"
        script = await client.get("/console/assets/main-abc.js")
        assert "immutable" in script.headers["Cache-Control"]
        assert script.headers["Content-Type"].startswith("text/javascript")
        moved = await client.get("/console", allow_redirects=False)
        assert (moved.status, moved.headers["Location"]) == (308, "/console/")


async def test_text_is_packed_for_who_takes_that(built: Path) -> None:
    async with serve(str(built)) as client:
        packed = await client.get("/console/assets/main-abc.js", headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip" and await packed.text() == SCRIPT
        plain = await client.get("/console/assets/main-abc.js", headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers and await plain.text() == SCRIPT
        assert len(gzip.compress(SCRIPT.encode())) < len(SCRIPT) / 10


async def test_nothing_outside_the_folder_is_served(built: Path) -> None:
    async with serve(str(built)) as client:
        for name in ("../secret", "%2e%2e/secret", "assets", "main.js"):
            assert (await client.get(f"/console/{name}")).status == 404


async def test_without_a_build_the_page_says_so(tmp_path: Path) -> None:
    async with serve("off") as client:
        answer = await client.get("/console/")
        assert answer.status == 404 and "was not built" in (await answer.json())["detail"]
    with pytest.raises(ConfigError, match=r"no index\.html"):
        serve(str(tmp_path / "empty"))


def test_a_page_without_an_l1_node_talks_to_its_service_alone() -> None:
    assert "connect-src 'self';" in make_policy("")
