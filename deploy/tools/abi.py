"""The contracts' ABIs and storage layouts for those who have no compiler: `python -m setoff.deploy.tools.abi` compares,
`--fix` writes.

What is kept in `shared/l1/interfaces/` and `shared/l1/layouts/` is the compiler's output, one entry a line.
`deploy/run check` calls this.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from setoff.contracts.compiler import compile_contract
from setoff.shared.l1.abi import INTERFACES, NAMES
from setoff.shared.l1.storage import AUDITED, LAYOUTS


def write_abi(name: str) -> str:
    """The file of a contract's ABI."""
    return "[\n" + ",\n".join(json.dumps(entry) for entry in compile_contract(name).abi) + "\n]\n"


def write_layout(name: str) -> str:
    """The file of a contract's storage layout."""
    entries = (f"{json.dumps(path)}: {json.dumps(entry)}" for path, entry in compile_contract(name).storage.items())
    return "{\n" + ",\n".join(entries) + "\n}\n"


def find_stale(interfaces: Path = INTERFACES, layouts: Path = LAYOUTS) -> Iterator[tuple[Path, str]]:
    """The files that are not what the compiler says, and what should be in them (nothing: no such file)."""
    wanted = {interfaces / f"{name}.json": write_abi(name) for name in NAMES}
    wanted |= {layouts / f"{name}.json": write_layout(name) for name in AUDITED}
    for path in sorted({*wanted, *interfaces.iterdir(), *layouts.iterdir()}):
        text = wanted.get(path, "")
        if not text or not path.is_file() or path.read_text() != text:
            yield path, text


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--fix"]):
        print("usage: python -m setoff.deploy.tools.abi [--fix]", file=sys.stderr)
        return 2
    stale = list(find_stale())
    for path, text in stale:
        if not arguments:
            print(f"{path.parent.name}/{path.name}: is not the compiler's output, run `deploy/run check --fix`")
        elif text:
            path.write_text(text)
        else:
            path.unlink()
    return 1 if stale and not arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
