"""`setoff deploy --verify FILE`: anybody sees whether all code is as compiled, all arguments as told."""

import dataclasses
import json
from pathlib import Path

import pytest

from setoff.deploy.cli.main import main
from setoff.deploy.contracts.deployment import deploy
from setoff.deploy.contracts.verified import verify_contracts
from setoff.deploy.devnet.anvil import Anvil
from setoff.shared.config.deployment_file import Deployment
from setoff.shared.errors import ConfigError
from setoff.shared.params import DEVNET


def test_every_byte_and_every_argument(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "deployment.json"
    with Anvil() as chain:
        operator, l1 = chain.connect(1).address, chain.connect(0)
        deployment = deploy(l1, DEVNET, operator=operator, lister=chain.connect(2).address)
        deployment.save(path)
        assert Deployment.load(path) == deployment
        book = deployment.book
        assert book.operator.lower() == "0x" + operator.hex() and book.preset == "devnet" and book.params == DEVNET
        assert book.compiler.startswith("vyper 0.4.3") and len(book.contracts) == 13
        assert main(["deploy", "--verify", str(path), "--rpc", chain.url]) == 0
        said = capsys.readouterr().out
        assert "parameters as the file tells: devnet" in said and said.count("bytes\n") == 6
        assert main(["deploy", "--verify", str(path), "--rpc", chain.url, "--json"]) == 0
        assert len(json.loads(capsys.readouterr().out)["verified"]) == 20

        old = json.loads(path.read_text())
        del old["book"]
        path.write_text(json.dumps(old))
        assert main(["deploy", "--verify", str(path), "--rpc", chain.url]) == 0
        assert "read from L1, for the file is of before they were told: devnet" in capsys.readouterr().out

        wrong = {
            "operator": {"operator": deployment.court},
            "lister": {"lister": deployment.court},
            "stake": {"parameters": {**book.parameters, "stake": book.parameters["stake"] + 1}},
            "rule_groups/work": {"contracts": {"rule_groups/work": deployment.court}},
        }
        for change in wrong.values():
            lied = dataclasses.replace(deployment, book=dataclasses.replace(book, **change))
            with pytest.raises(ConfigError, match="wrong_deployment"):
                verify_contracts(l1, lied)
        code = l1.code(deployment.receipts)
        for place in (20, len(code) - 1):  # in the code, and in what the constructor was given
            spoilt = bytearray(code)
            spoilt[place] ^= 1
            chain.l1.request("anvil_setCode", deployment.receipts, "0x" + spoilt.hex())
            chain.mine()
            with pytest.raises(ConfigError, match="wrong_deployment"):
                verify_contracts(l1, deployment)


@pytest.mark.parametrize(
    "book", [5, {"operator": 1}, {"parameters": {"stake": "1"}}, {"contracts": []}, {"modules": "0x"}, {"modules": [1]}]
)
def test_a_book_that_is_none_is_refused(book: object, tmp_path: Path) -> None:
    path, names = tmp_path / "file", ("token", "vault", "queue", "inbox", "judge", "court", "receipts")
    path.write_text(json.dumps({"chain_id": 1, "book": book} | dict.fromkeys(names, "0x" + 40 * "1")))
    with pytest.raises(ConfigError, match="'book'"):
        Deployment.load(path)
