"""Where the history is kept, and what is said where it cannot be."""

from pathlib import Path

import pytest
from tests.support.processes.running_operator import DEPLOYMENT

from setoff.operator.history.keeper import check_url, choose_url
from setoff.operator.settings import OperatorSettings
from setoff.shared.errors import ConfigError


def test_each_deployment_has_a_file_of_its_own_unless_a_database_is_named(tmp_path: Path) -> None:
    url = choose_url(OperatorSettings(history_dir=tmp_path), DEPLOYMENT)
    assert url == f"sqlite:///{tmp_path}/{DEPLOYMENT.file_name}.sqlite"
    assert choose_url(OperatorSettings(history_url="sqlite:////x"), DEPLOYMENT) == "sqlite:////x"
    assert choose_url(OperatorSettings(history_url="off"), DEPLOYMENT) == ""
    check_url(OperatorSettings(history_dir=tmp_path / "new"), DEPLOYMENT)
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize("url", ["nonsense", "nonsense://x", "postgresql://127.0.0.1:9/x", "sqlite:////proc/none/x"])
def test_a_database_that_cannot_be_used_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match="history_url"):
        check_url(OperatorSettings(history_url=url), DEPLOYMENT)
