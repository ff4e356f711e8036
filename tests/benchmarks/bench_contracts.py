"""Gas of every call of the contracts, and their sizes. The same on every machine."""

from tests.support.courts.gas import measure

from setoff.contracts.compiler import compile_contract, contract_names


def run() -> dict[str, float]:
    """Gas by call (cold storage, calldata as before Prague), bytes of code by contract."""
    figures: dict[str, float] = {f"{call}_gas": gas for call, gas in measure().items()}
    return figures | {f"{name}_bytes": compile_contract(name).size for name in contract_names()}
