"""Hosts of their own on this machine: network namespaces on a bridge, whose cables can be pulled. Takes root."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

CAN_HAVE = os.name == "posix" and os.geteuid() == 0 and shutil.which("ip") is not None


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Hosts:
    """So many hosts beside this one, which is at `address` for them."""

    def __init__(self, count: int) -> None:
        number = os.getpid() % 60000
        self._net = f"10.{200 + number // 256 % 50}.{number % 256}"
        self.address = f"{self._net}.1"
        self._bridge = f"sb{number}"
        self.names = [f"sh{number}x{host}" for host in range(count)]

    def __enter__(self) -> "Hosts":
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("addr", "add", f"{self.address}/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")
        for number, name in enumerate(self.names):
            _ip("netns", "add", name)
            _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", name, "master", self._bridge, "up")
            _ip("-n", name, "addr", "add", f"{self._net}.{number + 2}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_: object) -> None:
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", self._bridge], check=False, capture_output=True)

    def run(self, host: int, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        """A Python program on a host."""
        return subprocess.Popen(["ip", "netns", "exec", self.names[host], sys.executable, "-c", code, *arguments])

    def pull(self, host: int) -> None:
        """Pull a host's cable."""
        _ip("link", "set", self.names[host], "down")

    def plug(self, host: int) -> None:
        """Put it in again."""
        _ip("link", "set", self.names[host], "up")


def make_certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """Of a server at that address, signed by itself: certificate and key."""
    certificate, key = folder / "server.pem", folder / "server.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-days", "2", "-subj", "/CN=redis", "-addext", f"subjectAltName=IP:{address}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *named, *files], check=True, capture_output=True)
    return certificate, key


@contextmanager
def forwarding(address: str, port: int, tls: tuple[Path, Path] | None = None) -> Iterator[int]:
    """A port at that address which leads to one of this host, out of TLS if there is a certificate with its key."""
    loop, found, ready = asyncio.new_event_loop(), list[int](), threading.Event()
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    async def serve() -> None:
        server = await asyncio.start_server(forward, address, 0, ssl=context)
        found.append(server.sockets[0].getsockname()[1])
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield found[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextmanager
def ending(programs: Sequence[subprocess.Popen[bytes]]) -> Iterator[None]:
    """They end with the block."""
    with ExitStack() as stack:
        for program in programs:
            stack.callback(program.wait)
            stack.callback(program.kill)
        yield
