"""The registry of data availability modules: numbered without gaps, each with its contract, and nothing unknown."""

import pytest
from tests.support.chains.code_store import CODE

from setoff.contracts.compiler import contract_names
from setoff.shared.errors import ConfigError, DataError, WitnessError
from setoff.shared.l1.da import registry
from setoff.shared.machine.batch import MAX_INPUTS, Batch, verify_record
from setoff.shared.machine.data import CALLDATA, ZERO
from setoff.shared.rules.phases import MAX_LEG_PAGES

PLACES = 6
"""Batches that the inbox takes in one posting."""


def test_modules_are_numbered_without_gaps_and_named_once() -> None:
    assert list(registry.MODULES) == [module.number for module in registry.MODULES.values()]
    assert list(registry.MODULES) == list(range(len(registry.MODULES)))
    names = [module.name for module in registry.MODULES.values()]
    assert len(set(names)) == len(names)
    assert [registry.find_module(name) for name in names] == list(registry.MODULES.values())


def test_every_module_but_calldata_has_a_contract_and_every_contract_a_module() -> None:
    named = {module.contract for module in registry.MODULES.values() if module.number}
    assert named == {name for name in contract_names() if name.startswith("da/")}, (
        "each contract in contracts/da/ needs its module at the end of MODULES (shared/l1/da/registry.py), and each "
        "module its contract; one without '# pragma evm-version' does not count"
    )
    assert registry.MODULES[0].contract == "" and set(registry.own_contracts().values()) == named


@pytest.mark.parametrize("module", registry.MODULES.values(), ids=lambda module: module.name)
def test_a_module_takes_whole_bulks_and_no_more_than_the_inbox(module: registry.DataAvailability) -> None:
    assert 1 + MAX_LEG_PAGES <= module.codec.record_limit <= MAX_INPUTS and 1 <= module.batch_limit <= PLACES


def test_what_is_unknown_is_said() -> None:
    with pytest.raises(ConfigError, match="data: must be one of calldata, blobs"):
        registry.find_module("no such module")
    with pytest.raises(DataError, match="module 7 is unknown"):
        registry.get_module(7)


def test_a_batch_is_of_the_module_that_its_header_names() -> None:
    header = Batch.seal(ZERO, 0, 1, 0, 0, ZERO, (), [bytes(124)], CODE).header
    with pytest.raises(DataError, match=f"is of module {CODE.number}"):
        Batch.read(header, (), bytes(124))
    with pytest.raises(WitnessError, match="no record of module 0"):
        verify_record(header, 0, bytes(124), [], CALLDATA)
