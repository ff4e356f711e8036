"""The contracts in Vyper: vault, inbox, claims, court, judge, and the twins of the rules.

`compile_contract` turns one of them into ABI and bytecode with the pinned compiler, once per source: what it made is
kept in the user's cache folder under the hash of everything that decides it.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from setoff.shared.cache import get_cache_folder
from setoff.shared.errors import ConfigError

ROOT: Final = Path(__file__).resolve().parent
EVM_VERSION: Final = "cancun"
RUNTIME_LIMIT: Final = 24_576
"""EIP-170: bytes of code a contract may have."""

_IMPORT: Final = re.compile(r"^(?:from\s+(?P<package>[.\w]+)\s+)?import\s+(?P<module>[.\w]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Compiled:
    """One contract, compiled. Byte strings are hex without prefix; constructor arguments follow the bytecode."""

    name: str
    abi: list[dict[str, Any]]
    bytecode: str
    runtime: str
    immutables: int
    """Bytes that the constructor appends to the runtime code."""
    storage: dict[str, dict[str, Any]]
    """Where its variables lie: by name (`module.variable`) the slot, the type, and of a mapping's structs the words."""

    @property
    def size(self) -> int:
        """Bytes of code at the contract's address."""
        return len(self.runtime) // 2 + self.immutables


@cache
def compile_contract(name: str) -> Compiled:
    """Compile `contracts/<name>.vy` ("court", "rules/margin"), from the cache if nothing it is made of has changed.

    For gas where the code then fits on L1, else for size. Raises ConfigError if there is no such contract, and the
    compiler's own errors.
    """
    path = ROOT / f"{name}.vy"
    if not path.is_file():
        raise ConfigError("bad_config", f"there is no contract {name}")
    stored = _cache_folder() / f"{_fingerprint(path)}.json"
    with suppress(OSError, ValueError, TypeError):
        return Compiled(**json.loads(stored.read_text()))
    compiled = compile_file(path, name)
    _store(stored, compiled)
    return compiled


def compile_file(path: Path, name: str) -> Compiled:
    """Compile a Vyper file, which may import from the contracts, without the cache."""
    compiled = _compile(path, name, "gas")
    return compiled if compiled.size <= RUNTIME_LIMIT else _compile(path, name, "codesize")


def contract_names() -> list[str]:
    """Names of all contracts that can be deployed: those that fix an EVM version, which modules leave to them."""
    files = sorted(ROOT.rglob("*.vy"))
    return [
        path.relative_to(ROOT).with_suffix("").as_posix()
        for path in files
        if re.search(r"^#\s*pragma evm-version", path.read_text(), re.MULTILINE)
    ]


def source_files(path: Path) -> list[Path]:
    """The file and all it imports, directly or not, sorted."""
    found = {path}
    waiting = [path]
    while waiting:
        for module in _imported_files(waiting.pop()):
            if module not in found:
                found.add(module)
                waiting.append(module)
    return sorted(found)


def _imported_files(path: Path) -> Iterator[Path]:
    for match in _IMPORT.finditer(path.read_text()):
        package = match["package"] or ""
        depth = len(package) - len(package.lstrip("."))
        parts = [part for part in (*package.split("."), *match["module"].split(".")) if part]
        # A relative import starts at the file's own folder; an absolute one there or at the root.
        bases = [path.parents[depth - 1]] if depth else [path.parent, ROOT]
        candidates = [base.joinpath(*parts).with_suffix(suffix) for base in bases for suffix in (".vy", ".vyi")]
        # What is not found belongs to the compiler, whose version is part of the fingerprint.
        yield from (candidate.resolve() for candidate in candidates if candidate.is_file())


def _fingerprint(path: Path) -> str:
    import vyper

    digest = sha256(f"{vyper.__long_version__} {EVM_VERSION} {path.relative_to(ROOT).as_posix()}".encode())
    digest.update(Path(__file__).read_bytes())
    for source in source_files(path.resolve()):
        digest.update(sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def _cache_folder() -> Path:
    folder = get_cache_folder() / "contracts"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"setoff-contracts-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _store(stored: Path, compiled: Compiled) -> None:
    # A file of its own and an atomic rename: other processes compile the same contract at the same time.
    with suppress(OSError):
        with tempfile.NamedTemporaryFile("w", dir=stored.parent, delete=False) as file:
            json.dump(asdict(compiled), file)
        Path(file.name).replace(stored)


def _compile(path: Path, name: str, optimize: str) -> Compiled:
    # The compiler takes a third of a second to import, which a warm cache saves.
    from vyper.compiler.input_bundle import FilesystemInputBundle
    from vyper.compiler.phases import CompilerData
    from vyper.compiler.settings import OptimizationLevel, Settings

    bundle = FilesystemInputBundle([ROOT])
    file = bundle.load_file(path.resolve())
    settings = Settings(evm_version=EVM_VERSION, optimize=OptimizationLevel.from_string(optimize))
    data = CompilerData(file, bundle, settings=settings)
    from vyper.compiler.output import build_abi_output

    return Compiled(
        name=name,
        abi=build_abi_output(data),
        bytecode=data.bytecode.hex(),
        runtime=data.bytecode_runtime.hex(),
        immutables=data.global_ctx.immutable_section_bytes,
        storage=dict(_list_storage(data.global_ctx, "")),
    )


def _list_storage(module: Any, prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The compiler's storage layout, as `vyper -f layout` prints it, with what that leaves out: the fields of structs
    in mappings, counted in words from the struct's first."""
    from vyper.semantics.data_locations import DataLocation
    from vyper.semantics.types import HashMapT, StructT

    for name, variable in module.variables.items():
        if variable.location != DataLocation.STORAGE or not variable.is_state_variable():
            continue
        entry: dict[str, Any] = {"slot": variable.position.position, "type": str(variable.typ)}
        kept = variable.typ
        while isinstance(kept, HashMapT):
            kept = kept.value_type
        if isinstance(kept, StructT):
            words = [kind.get_size_in(DataLocation.STORAGE) for kind in kept.member_types.values()]
            places = accumulate(words, initial=0)
            entry["fields"] = dict(zip(kept.member_types, places, strict=False))
        yield prefix + name, entry
    for part in module.initialized_modules:
        yield from _list_storage(part.module_info.module_t, f"{prefix}{part.module_info.alias}.")
