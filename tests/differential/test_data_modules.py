"""One-step proofs of records that are with a data availability module: the judge asks the module, through the inbox."""

from collections import Counter
from collections.abc import Callable

import pytest
from tests.support.chains.code_store import CODE, init_code
from tests.support.evm import reverts
from tests.support.generator.generator import Generator
from tests.support.judge.bench import OPERATOR, Bench, Case, Judge
from tests.support.own_contracts import CODE_STORE

from setoff.shared.l1.da import registry
from setoff.shared.l1.da.registry import own_contracts
from setoff.shared.machine.batch import Batch
from setoff.shared.machine.blobs import BLOBS
from setoff.shared.machine.data import CALLDATA, DataModule

# On one worker, with all that need the trusted setup: it takes seconds to load.
pytestmark = pytest.mark.xdist_group("blobs")

FETCHES = 8
"""Records in blobs: each takes half a second of proofs and point evaluations."""


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


VERSION = b"\x01"
"""Of a blob's hash (EIP-4844): its first byte."""


class ModularJudge(Judge):
    """A judge whose inbox has all modules, ours and a third party's."""

    def __init__(self) -> None:
        super().__init__(*own_contracts().values(), CODE_STORE)

    def post(self, batch: Batch) -> None:
        if batch.module is CALLDATA:
            super().post(batch)
            return
        for body in batch.messages:
            self.queue.append(body)
        header, told = batch.header, b""
        if header.record_count and batch.module is BLOBS:
            self.chain.fund(OPERATOR)
            self.chain.carry_blobs([VERSION + bytes(31), header.data_root])
            told = word(1)
        elif header.record_count and batch.module is CODE:
            told = word(int(self.chain.create(init_code(batch.module_data)), 16))
        posting = (header.timestamp, header.message_count, header.record_count, told)
        self.inbox.post_data(header.module, header.number, header.hash(), [posting], sender=OPERATOR)


def limited(judged: Counter[str], most: int) -> Callable[[str], bool]:
    """Judges so many fetches and nothing else: what comes after does not know where its record was."""
    return lambda kind: kind.startswith(("fetch ", "refuse ")) and sum(judged.values()) < most


MODULES: list[DataModule] = [*(module.codec for module in registry.MODULES.values() if module.number), CODE]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.number))
def test_the_judge_fetches_records_from_modules(module: DataModule) -> None:
    most = FETCHES if module is BLOBS else 40
    bench = Bench(ModularJudge())
    generator = Generator(7, bench.machine)
    bench.choose = lambda kind: False
    bench.run(*generator.opening())
    bench.choose = limited(bench.judged, most)
    records: list[Case] = []
    bench.compare = lambda case: (records.append(case), bench.ask(case))[1]
    bench.module = module
    bench.run(*generator.batch(most, Counter()))
    proven = [
        case
        for case in records
        if case.proof.step_input.header[7] == module.number and not case.proof.step_input.message
    ]
    assert len(proven) >= most // 2, "records were fetched, not messages alone"

    assert bench.judge is not None
    case = proven[-1]
    others = [other for other in proven if other.proof.step_input.record_page != case.proof.step_input.record_page]
    wrong = [case.proof.step_input._replace(record_page=case.proof.step_input.record_page[1:] or b"\0")]
    wrong += [case.proof.step_input._replace(record_page=others[0].proof.step_input.record_page)] if others else []
    for step_input in wrong:
        with reverts("wrong_input"):
            bench.judge.step(case.first, case.position, case.pre, case.proof._replace(step_input=step_input).encode())
