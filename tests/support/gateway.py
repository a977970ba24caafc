"""A store and a gateway as they run in the world: processes of their own, started with twistd, on ports the system chose."""

from __future__ import annotations

import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.support.patience import PATIENCE

TWISTD = str(Path(sys.executable).with_name("twistd"))
ADMIN = str(Path(sys.executable).with_name("gateway-admin"))
T = TypeVar("T")
_LISTENS = re.compile(r": ([\w-]+) listens on (\S+)$")


class Running:
    """A twistd process; what it writes is kept for the report of a failed test."""

    def __init__(self, *arguments: str, prefix: Sequence[str] = ()) -> None:
        self._command = [*prefix, TWISTD, "--nodaemon", "--pidfile=", *arguments]
        self.lines: list[str] = []
        self.places: dict[str, str] = {}

    def start(self) -> Self:
        """Start, and wait until it says that it is ready."""
        self._events: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
        )
        threading.Thread(target=self._read, args=(self.process, self._events), daemon=True).start()
        try:
            self.wait_for(" is ready")
        except BaseException:
            self.kill()
            raise
        return self

    def _read(self, process: subprocess.Popen[str], events: queue.Queue[str | None]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                self.lines.append(line.rstrip())
                events.put(line.rstrip())
        events.put(None)

    def wait_for(self, text: str, seconds: float = PATIENCE) -> str:
        """The next line of the log with this text in it."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no {text!r} from {' '.join(self._command)}:\n" + "\n".join(self.lines))
            if found := _LISTENS.search(line):
                self.places[found[1]] = found[2]
            if text in line:
                return line

    def stop(self, seconds: float = PATIENCE) -> None:
        """Ask it to stop, as systemd does, and see that it stops well."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        log = "\n".join(self.lines)
        assert code in (0, -signal.SIGTERM), (
            f"ended with {code}:\n{log}"
        )  # twistd ends by the signal, once it is done
        assert "Traceback" not in log, log

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()


def store(
    data: Path, listen: str = "127.0.0.1:0", *, demo: bool = False, prefix: Sequence[str] = ()
) -> Running:
    """A store server on a directory."""
    arguments = ["gateway-store", "--data", str(data), "--listen", listen, *(["--demo"] if demo else [])]
    return Running(*arguments, prefix=prefix)


class GatewayProcess(Running):
    """A gateway before a store."""

    def __init__(
        self,
        directory: Path,
        url: str,
        *,
        host: str = "127.0.0.1",
        more: str = "",
        trusted: str = "",
        prefix: Sequence[str] = (),
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.config = directory / "gateway.toml"
        self.config.write_text(_CONFIGURATION.format(url=url, host=host, trusted=trusted) + more)
        self.certificate = directory / "tls.pem"
        super().__init__("gateway", "--config", str(self.config), prefix=prefix)

    def address(self, name: str) -> tuple[str, int]:
        """Where a protocol is served: ``imap``, ``imaps``, ``pop3``, ``pop3s``, ``dav``, ``davs``."""
        host, _, port = self.places[name].rpartition(":")
        return host, int(port)

    def port(self, name: str) -> int:
        """The port of a protocol."""
        return self.address(name)[1]


_CONFIGURATION = """\
[gateway]
cache = "cache"
state = "state"
[store]
url = "{url}"
trusted_url = "{trusted}"
[imap]
listen = ["{host}:0"]
tls_listen = ["{host}:0"]
plaintext_login = "always"
[pop3]
listen = ["{host}:0"]
tls_listen = ["{host}:0"]
plaintext_login = "always"
[dav]
listen = ["{host}:0"]
tls_listen = ["{host}:0"]
plaintext_login = "always"
[tls]
certificate = "tls.pem"
self_signed = true
"""


def run_program(*command: str, timeout: float = PATIENCE, **more: Any) -> str:
    """Run a client program to its end; what it wrote. All of it is in the error when it fails."""
    done = subprocess.run(
        command, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL, check=False, **more
    )
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace")
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout.decode()


def until(
    done: Callable[[], T | None], seconds: float = PATIENCE, *, despite: tuple[type[Exception], ...] = ()
) -> T:
    """Ask another process again and again, until it has what is wanted; ``despite`` errors it has not yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            found = done()
        except despite as error:
            found, why = None, str(error)
        else:
            why = "not there yet"
        if found is not None:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {why}"
        threading.Event().wait(0.05)
