"""What the compiler makes of the contracts: sizes, sources, reasons."""

import re
from pathlib import Path

import pytest
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.phases import CompilerData

from setoff.contracts.compiler import ROOT, RUNTIME_LIMIT, compile_contract, contract_names, source_files
from setoff.shared.errors import ConfigError, is_known_reason


@pytest.mark.parametrize("name", contract_names())
def test_fits_on_l1(name: str) -> None:
    compiled = compile_contract(name)
    assert 0 < compiled.size <= RUNTIME_LIMIT
    # EIP-3860 doubles the limit for the code that deploys.
    assert len(compiled.bytecode) // 2 <= 2 * RUNTIME_LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("name", contract_names())
def test_finds_the_sources_that_the_compiler_reads(name: str) -> None:
    path = ROOT / f"{name}.vy"
    read: set[Path] = set()

    class Recorder(FilesystemInputBundle):  # type: ignore[misc]
        def _load_from_path(self, resolved_path: Path, original_path: Path) -> object:
            found = super()._load_from_path(resolved_path, original_path)
            read.add(Path(resolved_path).resolve())
            return found

    bundle = Recorder([ROOT])
    assert CompilerData(bundle.load_file(path), bundle).resolved_imports
    assert {p for p in read if ROOT in p.parents} == set(source_files(path))


def test_takes_a_compiled_contract_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SETOFF_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compile_contract.cache_clear()
    first = compile_contract("token")
    (stored,) = (tmp_path / "setoff" / "contracts").iterdir()
    written = stored.stat().st_mtime_ns
    compile_contract.cache_clear()
    assert compile_contract("token") == first
    assert stored.stat().st_mtime_ns == written

    stored.write_text("{}")
    compile_contract.cache_clear()
    assert compile_contract("token") == first
    assert stored.stat().st_size > 1000
    compile_contract.cache_clear()


def test_refuses_a_contract_that_does_not_exist() -> None:
    with pytest.raises(ConfigError, match="no contract"):
        compile_contract("owner")


def test_every_reason_is_on_the_shared_list() -> None:
    for path in sorted(ROOT.rglob("*.vy")):
        text = path.read_text()
        reasons = re.findall(r'(?:assert .*?,|raise) "([^"]*)"', text)
        assert all(map(is_known_reason, reasons)), f"{path.name}: {[r for r in reasons if not is_known_reason(r)]}"
        # Outside the rules and what they share nothing reverts without saying why.
        if path.parent in (ROOT, ROOT / "court"):
            bare = [line.strip() for line in text.splitlines() if re.match(r"\s*assert [^\"(]*$", line)]
            assert not bare, f"{path.name}: {bare}"
