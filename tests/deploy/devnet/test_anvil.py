"""The development chain: it comes up on a free port and is gone with whoever started it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.waiting import wait_until

from setoff.deploy.devnet.anvil import ACCOUNTS, BALANCE, CHAIN_ID, Anvil, dev_keys
from setoff.shared.errors import ConfigError
from setoff.shared.params import ETHER

PARENT = """
import time
from setoff.deploy.devnet.anvil import Anvil
chain = Anvil()
print(chain.process.pid, chain._folder.name, flush=True)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_its_accounts_are_always_the_same_and_funded() -> None:
    assert len(set(dev_keys())) == ACCOUNTS
    with Anvil() as chain:
        first = chain.connect(0)
        assert first.address.hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
        assert first.chain_id == CHAIN_ID
        assert chain.connect(ACCOUNTS - 1).balance(first.address) == BALANCE * ETHER
        folder = Path(chain._folder.name)
    assert not chain.is_running and not folder.exists()
    chain.stop()


def test_blocks_come_by_themselves_with_a_block_time() -> None:
    with Anvil(block_time=1) as chain:
        wait_until(lambda: chain.l1.head().number >= 2, 20)


def test_two_chains_do_not_meet_and_a_taken_port_is_told() -> None:
    with Anvil() as one, Anvil() as other:
        assert one.port != other.port
        with pytest.raises(ConfigError, match="port_taken"):
            Anvil(port=one.port)


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
def test_it_dies_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    words = parent.stdout.readline().split()
    pid, folder = int(words[0]), words[1]
    assert is_alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not is_alive(pid), 10, what="anvil outlives its parent")
    shutil.rmtree(folder)
