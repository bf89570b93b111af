"""Finds the recordings that a command was asked to look at: below a folder, or in a bucket."""

from pathlib import Path

from wiretape.cli.files import Source, largest
from wiretape.cli.files_in_bucket import BucketSource
from wiretape.cli.files_on_disk import FolderSource
from wiretape.sessions.model import check_name
from wiretape.store.opening import is_url, open_store


def source(text: str, session: str | None = None) -> Source:
    """Return what a command was asked to look at: a folder or the URL of a bucket, all of it or one session.

    Raises ValueError for what is neither, and where there is no such session; OSError where the store fails.
    """
    # Without a spool: a command that has ended must have done what it says.
    store = open_store(text, spool=0, largest=largest())
    if not is_url(text) and not Path(text).is_dir():
        raise ValueError(f"{text}: there is no such directory")
    if session is not None:
        check_name(session)
        sessions = store.sessions()
        if session not in sessions:
            raise ValueError(f"no session {session} below {store.url}; there are {', '.join(sessions) or 'none'}")
    if is_url(text):
        return BucketSource(store, session)
    return FolderSource(Path(text), session, store)
