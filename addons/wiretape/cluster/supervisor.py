"""Keeps a process up: starts it, watches it, and starts it again when it has died. It does not know what it runs."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

from wiretape.cluster.parent_death import leashed

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
"""Seconds before a process that died at once is started again. They double each time, up to this."""

SETTLED = 10.0
"""After so many seconds, a process that dies has not died at once."""

LAST_WORDS = 1.0
"""How many seconds the output of a process is still read after its end."""

_CHUNK = 65536
_LONGEST_LINE = 1024 * 1024


class SupervisedProcess:
    """One process at a time, under one label. ``tell`` gets each line of its output, and what becomes of it."""

    def __init__(
        self,
        label: str,
        command: Sequence[str],
        tell: Callable[[str, str], None],
        *,
        ends_on: signal.Signals,
        environ: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        """The process ends in good order at ``ends_on``, and inherits ``descriptors``."""
        self.label = label
        self.restarts = 0
        self.died = asyncio.Event()
        """Set when the process has died before it was known to be good."""
        self.is_good = False
        """Whether the process was up once. Only then it is started again: one that dies at its first
        start would do so again.
        """
        self._command = command
        self._tell = tell
        self._ends_on = ends_on
        self._environ = environ
        self._descriptors = descriptors
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process that is up; None where there is none."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._process.pid

    def start(self) -> None:
        """Keep the process up from now on."""
        self._task = asyncio.create_task(self._keep_up(), name=f"wiretape: {self.label}")

    async def stop(self, patience: float) -> None:
        """End the process in good order, and kill it after ``patience`` seconds."""
        self.ask_to_end()
        if self._task is None:
            return
        _, late = await asyncio.wait((self._task,), timeout=patience)
        if late:
            self._tell(self.label, f"did not end within {patience:g} s: killed")
            self.kill()
        await self._task

    def ask_to_end(self, how: signal.Signals | None = None) -> None:
        """Ask the process to end in good order, with the usual signal or another one, and do not wait."""
        self._stopping.set()
        self._send(how or self._ends_on)

    def kill(self) -> None:
        """Kill the process."""
        self._stopping.set()
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self._process and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _keep_up(self) -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            begun = loop.time()
            code = await self._run()
            if self._stopping.is_set():
                return
            how = f"ended with exit code {code}"
            if code < 0:
                how = f"was ended by signal {-code}"
            if not self.is_good:
                self._tell(self.label, how)
                self.died.set()
                return
            if loop.time() - begun > SETTLED:
                pause = FIRST_PAUSE
            self._tell(self.label, f"{how}: it is started again in {pause:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
                return
            pause = min(2 * pause, LONGEST_PAUSE)
            self.restarts += 1

    async def _run(self) -> int:
        reader, transport, end = await _pipe()
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *leashed(self._ends_on, self._command),
                stdin=DEVNULL,
                stdout=end,
                stderr=end,
                env=self._environ,
                pass_fds=self._descriptors,
                # Ctrl-C in a terminal should reach us alone: we end the processes in order.
                start_new_session=True,
            )
            end.close()
            if self._stopping.is_set():  # The request to end came while the process was being started.
                self._send(self._ends_on)
            forwarding = asyncio.create_task(self._forward(reader))
            code = await process.wait()
            # A process that it has started may still hold its output open.
            await asyncio.wait((forwarding,), timeout=LAST_WORDS)
            forwarding.cancel()
            return code
        except OSError as e:  # There is no memory, or there are too many processes: that may pass.
            self._tell(self.label, f"cannot be started: {e}")
            return 1
        finally:
            end.close()
            transport.close()

    async def _forward(self, output: asyncio.StreamReader) -> None:
        rest = b""
        while data := await output.read(_CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            if len(rest) > _LONGEST_LINE:
                lines = [*lines, rest]
                rest = b""
            for line in lines:
                self._tell(self.label, line.decode("utf-8", "replace").rstrip("\r"))
        if rest:
            self._tell(self.label, rest.decode("utf-8", "replace"))


async def _pipe() -> tuple[asyncio.StreamReader, asyncio.ReadTransport, IO[bytes]]:
    # A pipe of asyncio would stay open for as long as any process can write to it.
    ours, theirs = os.pipe()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb"))
    return reader, transport, os.fdopen(theirs, "wb")
