"""A process that is to be up: started, watched, started again when it has died. What it runs is no matter here."""

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
"""Seconds before a process that died at once is started again: doubled each time."""

SETTLED = 10.0
"""Seconds after which a death is no longer one at once."""

LAST_WORDS = 1.0
"""Seconds for the output of a process that has ended."""

_CHUNK = 65536
_LONGEST_LINE = 1024 * 1024


class SupervisedProcess:
    """One process at a time, under one label. ``tell`` gets each line that it writes, and what becomes of it."""

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
        """``ends_on`` is the signal at which it ends in good order; ``descriptors`` it inherits."""
        self.label = label
        self.restarts = 0
        self.died = asyncio.Event()
        """It has died before it was known to be good."""
        self.is_good = False
        """Whether it was up once: only then it is started again. What dies at its first start would do so again."""
        self._command = command
        self._tell = tell
        self._ends_on = ends_on
        self._environ = environ
        self._descriptors = descriptors
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Have it up from now on."""
        self._task = asyncio.create_task(self._keep_up(), name=f"wiretape: {self.label}")

    async def stop(self, patience: float) -> None:
        """Have it end in good order, and after ``patience`` seconds anyhow."""
        self.ask_to_end()
        if self._task is None:
            return
        _, late = await asyncio.wait((self._task,), timeout=patience)
        if late:
            self._tell(self.label, f"did not end within {patience:g} s: killed")
            self.kill()
        await self._task

    def ask_to_end(self, how: signal.Signals | None = None) -> None:
        """Have it end in good order, and do not wait for that. ``how`` is another signal than the usual one."""
        self._stopping.set()
        self._send(how or self._ends_on)

    def kill(self) -> None:
        """End it now."""
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
            how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
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
                # Ctrl-C in a terminal is for us: we end them in order.
                start_new_session=True,
            )
            end.close()
            if self._stopping.is_set():  # It came while the process was being started.
                self._send(self._ends_on)
            forwarding = asyncio.create_task(self._forward(reader))
            code = await process.wait()
            # What it started may still hold its output open.
            await asyncio.wait((forwarding,), timeout=LAST_WORDS)
            forwarding.cancel()
            return code
        except OSError as e:  # No memory, or too many processes: that may pass.
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
    # Our own and not asyncio's, which stays open for as long as anybody can write to it.
    ours, theirs = os.pipe()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(ours, "rb"))
    return reader, transport, os.fdopen(theirs, "wb")
