"""A remote signer as a process of its own, which speaks web3signer's JSON-RPC over HTTP: `eth_accounts`,
`eth_signTransaction`, `eth_signTypedData`. It signs with eth-account, so nothing of ours is compared with itself.

    python -m tests.support.nodes.remote_signer PORT LIE KEY…      LIE: none, or how it signs wrongly
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from eth_account import Account
from eth_account.messages import encode_typed_data
from tests.support.ports import find_free_ports

NONE = "none"
CHAIN_ID = 31337
"""web3signer is told one, and signs for no other."""
STRANGER = "0x" + "5a" * 32
"""A key that nobody has asked for."""


def pay_another(fields: dict[str, Any]) -> None:
    fields["to"] = "0x" + "66" * 20


def bid_more(fields: dict[str, Any]) -> None:
    fields["maxFeePerGas"] *= 2


def do_nothing(fields: dict[str, Any]) -> None:
    pass


LIES: dict[str, Callable[[dict[str, Any]], None]] = {NONE: do_nothing, "receiver": pay_another, "fee": bid_more}
"""What is changed of a transaction before it is signed. More: `stranger` signs with another key, `nonsense` answers no
transaction, `refusal` none at all."""


class Handler(BaseHTTPRequestHandler):
    keys: ClassVar[dict[str, str]] = {}
    lie = NONE

    def do_POST(self) -> None:
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            answer["result"] = self.answer(call["method"], call["params"])
        except KeyError:
            answer["error"] = {"code": -32000, "message": "From address does not match available account"}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, method: str, params: list[Any]) -> Any:
        if method == "eth_accounts":
            return list(self.keys)
        if self.lie == "refusal":
            raise KeyError
        if method == "eth_signTypedData":
            key = STRANGER if self.lie == "stranger" else self.keys[params[0]]
            signed = Account.sign_message(encode_typed_data(full_message=json.loads(params[1])), key)
            return "0x" + signed.signature.hex().removeprefix("0x")
        assert method == "eth_signTransaction" and len(params) == 1
        if self.lie == "nonsense":
            return "0x02c0"
        asked = params[0]
        key = STRANGER if self.lie == "stranger" else self.keys[asked["from"]]
        numbers = ("gas", "maxPriorityFeePerGas", "maxFeePerGas", "nonce", "value")
        fields = {name: int(asked[name], 16) for name in numbers} | {
            "type": 2,
            "chainId": CHAIN_ID,
            "data": asked["data"],
        }
        if "to" in asked:
            fields["to"] = asked["to"]
        LIES.get(self.lie, do_nothing)(fields)
        if "to" in fields:
            fields["to"] = bytes.fromhex(fields["to"][2:])
        return "0x" + Account.sign_transaction(fields, key).raw_transaction.hex().removeprefix("0x")

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    Handler.lie = sys.argv[2]
    Handler.keys = {Account.from_key(key).address.lower(): key for key in sys.argv[3:]}
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler) as server:
        print("ready", flush=True)
        server.serve_forever(0.05)


@contextmanager
def signing(*keys: bytes, port: int = 0, lie: str = NONE) -> Iterator[str]:
    """Such a process; its URL. Port 0 takes a free one."""
    port = port or find_free_ports(1)[0]
    words = [
        sys.executable,
        "-m",
        "tests.support.nodes.remote_signer",
        str(port),
        lie,
        *("0x" + key.hex() for key in keys),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()


if __name__ == "__main__":
    main()
