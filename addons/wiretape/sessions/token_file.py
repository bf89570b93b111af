"""The file of the tokens: reading it, writing it, noticing changes. ``tokens`` knows what is in it."""

import contextlib
import logging
import os
import tempfile
import threading
from collections.abc import Hashable
from pathlib import Path

from wiretape.codecs import toml_text
from wiretape.sessions import tokens
from wiretape.sessions.tokens import TokenEntry, Tokens
from wiretape.store.failures import is_absent

logger = logging.getLogger(__name__)


def read(path: Path) -> Tokens:
    """Return the tokens of a file. If others than its owner can open it, the log warns.

    Raises OSError, and ValueError, which names the file, where something in it is wrong.
    """
    try:
        text = toml_text.read(path)
    except UnicodeDecodeError as e:
        raise ValueError(f"{path}: not UTF-8: {e}") from e
    # It is not refused: secrets that a container mounts are often 0444, and the hash of 256 random bits gives nothing
    # away. But anybody who can write the file can add a token.
    others = path.stat().st_mode & 0o077
    if os.name == "posix" and others:
        can = "read"
        if others & 0o022:
            can = "written"
        logger.warning("%s can be %s by others than its owner: chmod 600 %s", path, can, path)
    return tokens.loads(str(path), text)


def write(path: Path, content: Tokens) -> None:
    """Write the file whole or not at all, for its owner alone. Raises OSError."""
    path = path.resolve()  # The target of a link is replaced, and not the link.
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(tokens.dumps(content))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()


class TokenFile:
    """The tokens of a file as it is now: a token that was removed is refused at once, without a restart.

    For any number of threads. While the file cannot be read, nobody is let in, and the log tells why.
    """

    def __init__(self, path: Path) -> None:
        """Raises as ``read`` does: a proxy that nobody can use should not start."""
        self.path = path
        self._lock = threading.Lock()
        self._version = 0
        self._state: Hashable = self._look()
        self._tokens = read(path)
        self._failure: OSError | None = None

    def check(self, session: str, token: str) -> TokenEntry | None:
        """Check a token as ``Tokens.check`` does, against the file as it is now. That takes a ``stat``.

        Raises OSError while the file is there and cannot be read: that is not the fault of the client.
        """
        return self._current().check(session, token)

    def having(self, token: str) -> tuple[TokenEntry, ...]:
        """Return all entries of a token as ``Tokens.having`` does. Raises as ``check`` does."""
        return self._current().having(token)

    def sessions(self) -> set[str]:
        """Return the sessions that tokens are good for. Raises as ``check`` does."""
        return {entry.session for entry in self._current().entries}

    def version(self) -> int:
        """Return a number that changes with each change of the file so far."""
        with contextlib.suppress(OSError):  # A file that cannot be read now has not changed yet.
            self._current()
        return self._version

    def _current(self) -> Tokens:
        with self._lock:
            state = self._look()
            # A file that could not be read a moment ago may be readable now, without having changed.
            if state != self._state or self._failure:
                self._state = state
                self._read()
            if self._failure:
                raise self._failure
            return self._tokens

    def _read(self) -> None:
        before = self._failure
        self._failure = None
        try:
            self._tokens = read(self.path)
        except (OSError, ValueError) as e:
            self._tokens = Tokens()
            if isinstance(e, OSError) and not is_absent(e, str(self.path)):
                self._failure = e
            if str(e) != str(before):
                logger.error("no token is taken until this is mended: %s", e)
        else:
            logger.info("%s has changed: %d tokens", self.path, len(self._tokens))
        if not self._failure:
            self._version += 1

    def _look(self) -> Hashable:
        """Return a value that changes when the file does."""
        try:
            state = self.path.stat()
        except OSError as e:
            return e.errno
        return state.st_mtime_ns, state.st_size, state.st_ino
