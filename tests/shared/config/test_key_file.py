"""Keys from keystores: those of the format's own test vectors, with the password from a file or from a terminal."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from setoff.deploy.cli.main import main
from setoff.operator.settings import OperatorSettings
from setoff.shared.codec import signatures
from setoff.shared.config.key_file import read_key
from setoff.shared.errors import ConfigError
from setoff.watcher.settings import WatcherSettings

PASSWORD = "testpassword"
SECRET = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"
PBKDF2 = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}
SCRYPT = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32,
            "n": 262144,
            "p": 8,
            "r": 1,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
        },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}
"""Both: the vectors of the Web3 Secret Storage Definition."""


def write(folder: Path, keystore: Any, password: str = PASSWORD) -> tuple[str, str]:
    (folder / "store.json").write_text(json.dumps(keystore))
    (folder / "password").write_text(f"{password}\n")
    return str(folder / "store.json"), str(folder / "password")


@pytest.mark.parametrize("keystore", [PBKDF2, SCRYPT], ids=["pbkdf2", "scrypt"])
def test_the_formats_own_vectors_are_read(tmp_path: Path, keystore: Any) -> None:
    store, password = write(tmp_path, keystore)
    assert read_key(store, "key", password).hex() == SECRET
    env = {"SETOFF_WATCHER_KEY": store, "SETOFF_WATCHER_KEY_PASSWORD": password}
    assert WatcherSettings.load(env=env).private_key().hex() == SECRET


def test_what_is_wrong_is_said_and_no_password_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, wrong = write(tmp_path, PBKDF2, "a wrong one")
    monkeypatch.setattr(sys, "stdin", (tmp_path / "password").open())
    damaged, other = tmp_path / "damaged.json", tmp_path / "other.json"
    damaged.write_text(json.dumps(PBKDF2 | {"crypto": PBKDF2["crypto"] | {"kdf": "sha1"}}))  # type: ignore[operator]
    other.write_text(json.dumps(PBKDF2 | {"version": 4}))
    for key, password, said in [
        (store, wrong, "operator.key: that is not the password of the keystore"),
        (store, "", f"operator.key: the keystore {store} needs a password: operator.key_password names a file"),
        (store, "hunter2", "operator.key_password: names no file that can be read; it takes a file's name"),
        (str(damaged), wrong, "is damaged, or of a kind that is not known here"),
        (str(other), wrong, "does not hold 32 bytes of hex, nor a keystore of version 3"),
    ]:
        with pytest.raises(ConfigError) as caught:
            OperatorSettings(key=key, key_password=password).private_key()
        assert said in str(caught.value) and "a wrong one" not in str(caught.value)
        assert "hunter2" not in str(caught.value)


def type_at(words: list[str], typed: str) -> tuple[int, str]:
    """`setoff` with these words at a terminal, where `typed` is typed for each line that ends with a colon."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "setoff.deploy.cli", *words])
    said = b""
    try:
        while piece := os.read(terminal, 1024):
            said += piece
            if piece.rstrip(b" ").endswith(b":"):
                os.write(terminal, typed.encode() + b"\n")
    except OSError:  # Linux: whoever had the terminal has ended
        pass
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode()


def test_at_a_terminal_the_password_is_asked_for_and_not_shown(tmp_path: Path) -> None:
    store = tmp_path / "new.json"
    code, said = type_at(["wallet", "keystore", str(store)], "swordfish")
    assert code == 0, said
    assert said.count("password of") == 1 and "the same again" in said and "swordfish" not in said
    code, shown = type_at(["wallet", "address", str(store)], "swordfish")
    assert code == 0 and shown.split()[-1] in said
    code, refused = type_at(["wallet", "address", str(store)], "sardine")
    assert code == 2 and "that is not the password of the keystore" in refused


def test_a_key_goes_into_a_keystore_that_nobody_else_may_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plain").write_text(SECRET)
    (tmp_path / "password").write_text("swordfish\n")
    new, given = tmp_path / "new.json", ["--key-password", str(tmp_path / "password")]
    words = ["wallet", "keystore", str(new), "--of", str(tmp_path / "plain"), *given]
    assert main(words) == 0
    assert new.stat().st_mode & 0o777 == 0o600 and SECRET not in new.read_text()
    address = "0x" + signatures.address_of(bytes.fromhex(SECRET)).hex()
    assert capsys.readouterr().out.startswith(f"{address}: its key is in {new}")
    assert read_key(str(new), "key", given[1]).hex() == SECRET
    assert main(words) == 2 and "is there already" in capsys.readouterr().err
    assert main(["wallet", "new", str(new)]) == 2 and "is there already" in capsys.readouterr().err
    (tmp_path / "password").write_text("\n")
    assert main([*words[:2], str(tmp_path / "more.json"), *words[3:]]) == 2
    assert "an empty password protects nothing" in capsys.readouterr().err and not (tmp_path / "more.json").exists()


def test_where_nobody_can_type_it_a_service_ends_at_once(tmp_path: Path) -> None:
    store, password = write(tmp_path, PBKDF2)
    deployment = tmp_path / "deployment.json"
    deployment.write_text("{}")
    words = [sys.executable, "-m", "setoff.deploy.cli", "operator", "config", "--set", f"deployment={deployment}"]
    (tmp_path / "operator.toml").write_text(f"[operator]\nkey = '{store}'\n")
    words += ["--check", str(tmp_path / "operator.toml")]
    for more, is_told in ([], True), ([f"key_password={password}"], False):
        told = subprocess.run(
            [*words, *(["--set", *more] if more else [])], stdin=subprocess.DEVNULL, capture_output=True
        )
        assert (b"needs a password: operator.key_password names a file" in told.stdout) == is_told
