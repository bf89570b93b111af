"""wiretape: a transparent recording proxy for LLM APIs.

Read the packages in the order in which they build on each other:

``policy``      modes, takes, forms: the choices that options, sessions and tapes share
``exceptions``  what a caller tells apart
``codecs``      bytes <-> values: events, lines, forms, JSON, TOML, content codings
``network``     where things listen, where a proxy may lead, which web pages may ask it
``metrics``     what happened, counted
``recording``   one exchange as a file: its JSON text, its names, the capture of the wire beside it
``rewriting``   texts of an answer that are replaced where they stand, also across the deltas of a stream
``redaction``   what never reaches a disk
``providers``   what the API of an LLM looks like: host + path -> endpoint, recording <-> answer
``matching``    when two requests are the same
``pricing``     what tokens cost
``replay``      how an answer is played: pace, takes, faults
``store``       where recordings live
``sessions``    who may do what, and where
``tape``        a session's recordings: hit, miss or record
``journal``     a live answer until its recording is written, and the process that writes it
``call_log``    what became of each call, kept on this machine
``library``     work on what is stored: verified, compared, promoted
``cluster``     several processes behind one port
``control``     the HTTP API of a running proxy, and the server of its page of counters
``config``      ``wiretape.toml``: checked as a whole, and handed on table by table
``proxy``       the mitmproxy addon: the only place where a flow is known
``cli``         the ``wiretape`` command
``pytest_plugin``  the plugin for pytest: a proxy for a run, a scope for each test

A request comes in through ``proxy``, which asks ``providers`` what it is, ``matching`` what it means and ``tape`` for
its answer; ``replay`` plays it. A live answer goes by way of ``journal`` to ``tape``, which writes it to a ``store``
without what ``redaction`` takes out.

All but ``proxy``, ``cli``, ``control`` and ``cluster`` take bytes and values and give bytes and values: no socket. Only
the first two know mitmproxy.

What other programs may use is in ``__all__``, and told of in ``docs/reference/python-api.md``. It is imported when it
is asked for first: ``import wiretape`` alone costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wiretape.exceptions import (
        ConfigurationError,
        NotARecordingError,
        NotHttpError,
        RecordingError,
        StoreAwayError,
        StoreUnavailableError,
        WiretapeError,
    )
    from wiretape.library.verify import Verification, verify
    from wiretape.policy import Mode, Takes
    from wiretape.recording import RecordedRequest, RecordedResponse, Recording, dumps, loads
    from wiretape.store.base import Store
    from wiretape.store.opening import open_store

__version__ = "0.1.0"

__all__ = [
    "ConfigurationError",
    "Mode",
    "NotARecordingError",
    "NotHttpError",
    "RecordedRequest",
    "RecordedResponse",
    "Recording",
    "RecordingError",
    "Store",
    "StoreAwayError",
    "StoreUnavailableError",
    "Takes",
    "Verification",
    "WiretapeError",
    "dumps",
    "loads",
    "open_store",
    "verify",
]

_MODULES = {
    "wiretape.exceptions": (
        "ConfigurationError",
        "NotARecordingError",
        "NotHttpError",
        "RecordingError",
        "StoreAwayError",
        "StoreUnavailableError",
        "WiretapeError",
    ),
    "wiretape.library.verify": ("Verification", "verify"),
    "wiretape.policy": ("Mode", "Takes"),
    "wiretape.recording": ("RecordedRequest", "RecordedResponse", "Recording", "dumps", "loads"),
    "wiretape.store.base": ("Store",),
    "wiretape.store.opening": ("open_store",),
}
"""Which module defines what is public."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a public name when it is asked for first."""
        for module, names in _MODULES.items():
            if name in names:
                value = globals()[name] = getattr(import_module(module), name)
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
