"""The variables by which the programs of a test find the proxy, with this process's client in them.

The client is the user of the proxy's URL: ``main``, or what xdist calls the process (``gw0``). xdist's processes
inherit the variables of the process that starts them, so they have the proxy before anything is imported, and each puts
its own name into them.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from urllib.parse import urlsplit

PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy")

_STARTED_BY = "PYTEST_WIRETAPE"
"""The variable that has the id of the process which has started the proxy."""

MAIN = "main"

_NO_TOKEN = "none"  # noqa: S105  it says that there is none
"""The password where a proxy asks for no token: Python's urllib and the package requests send no user without one."""


def client(environ: Mapping[str, str]) -> str:
    """Return the name of this process's client."""
    return environ["PYTEST_XDIST_WORKER"] if is_inherited(environ) else MAIN


def is_inherited(environ: Mapping[str, str]) -> bool:
    """Return whether this is a process of xdist's whose parent has set all variables.

    A pytest that a test of such a process starts is none, though it has the same variables.
    """
    return "PYTEST_XDIST_WORKER" in environ and environ.get(_STARTED_BY) == str(os.getppid())


def variables(new: Mapping[str, str | None], environ: Mapping[str, str], user: str) -> dict[str, str | None]:
    """Return what is to be set so that programs go through the proxy as this client. ``new``: what the proxy gives."""
    # A process of xdist has no such processes of its own.
    chosen = {**new, _STARTED_BY: None if is_inherited(environ) else str(os.getpid())}
    for name in PROXIES:
        url = chosen.get(name, environ.get(name))
        if url:
            chosen[name] = with_user(url, user)
    return chosen


def with_user(url: str, user: str) -> str:
    """Return a proxy's URL with this user, and the password that it has."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}:{parts.password or _NO_TOKEN}@{host}").geturl()


def token(environ: Mapping[str, str]) -> str:
    """Return the token that the proxy's URL has; empty where there is none."""
    password = urlsplit(environ.get("HTTPS_PROXY", "")).password or ""
    return "" if password == _NO_TOKEN else password


def apply(chosen: Mapping[str, str | None], environ: MutableMapping[str, str]) -> dict[str, str | None]:
    """Set variables, and return what they were before."""
    before = {name: environ.get(name) for name in chosen}
    for name, value in chosen.items():
        if value is None:
            environ.pop(name, None)
        else:
            environ[name] = value
    return before


@contextmanager
def applied(chosen: Mapping[str, str | None], environ: MutableMapping[str, str]) -> Iterator[None]:
    """Have variables be set for the time being."""
    before = apply(chosen, environ)
    try:
        yield
    finally:
        apply(before, environ)
