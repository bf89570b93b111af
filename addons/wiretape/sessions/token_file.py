"""The file of the tokens: read, written, watched. Beside ``tokens``, which knows what is in it."""

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
    """The tokens of a file. A file that others than its owner can open is read, with a warning in the log.

    Raises OSError, and ValueError, which names the file, where it is not as it should be.
    """
    try:
        text = toml_text.read(path)
    except UnicodeDecodeError as e:
        raise ValueError(f"{path}: not UTF-8: {e}") from e
    # Refusing it would shut out secrets that a container mounts, which are often 0444; and of 256 random bits a hash
    # gives nothing away. Whoever can write it makes himself a token, though.
    if os.name == "posix" and (others := path.stat().st_mode & 0o077):
        can = "read"
        if others & 0o022:
            can = "written"
        logger.warning("%s can be %s by others than its owner: chmod 600 %s", path, can, path)
    return tokens.loads(str(path), text)


def write(path: Path, content: Tokens) -> None:
    """Write the file whole or not at all, for its owner alone. Raises OSError."""
    path = path.resolve()  # What a link points to is replaced, and not the link.
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
    """The tokens of a file as it is now: one that was removed is refused at once, with no restart.

    For any number of threads. While the file cannot be read, nobody gets in, and the log says why.
    """

    def __init__(self, path: Path) -> None:
        """Raises as ``read`` does: a proxy that nobody can use is not to start."""
        self.path = path
        self._lock = threading.Lock()
        self._version = 0
        self._state: Hashable = self._look()
        self._tokens = read(path)
        self._failure: OSError | None = None

    def check(self, session: str, token: str) -> TokenEntry | None:
        """As ``Tokens.check``, of the file as it is now: that takes a ``stat``.

        Raises OSError while the file is there and cannot be read: that is no fault of who asks.
        """
        return self._current().check(session, token)

    def version(self) -> int:
        """A number that is another one after each change of the file, up to now."""
        with contextlib.suppress(OSError):  # What cannot be read now has not changed yet.
            self._current()
        return self._version

    def _current(self) -> Tokens:
        with self._lock:
            state = self._look()
            # What could not be read a moment ago may be readable now, and be the same file.
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
        """What changes when the file does."""
        try:
            found = self.path.stat()
        except OSError as e:
            return e.errno
        return found.st_mtime_ns, found.st_size, found.st_ino
