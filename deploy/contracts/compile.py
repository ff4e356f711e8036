"""Compiles all contracts, side by side, into the user's cache: `python -m setoff.deploy.contracts.compile`."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

from setoff.contracts.compiler import compile_contract, contract_names


def compile_all(workers: int = 2) -> None:
    """Compile what is not in the cache, on so many cores. Raises the compiler's own errors."""
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_compile, contract_names()))


def _compile(name: str) -> None:
    compile_contract(name)


if __name__ == "__main__":
    compile_all()
