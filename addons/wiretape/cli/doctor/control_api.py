"""The control API that ``WIRETAPE_CONTROL`` names, as ``wiretape run`` gives it to its command: whether it answers."""

from collections.abc import Iterator, Mapping

from wiretape.cli.bounded import within
from wiretape.cli.doctor.finding import Finding, fault, ok, warning
from wiretape.cli.options import CONTROL
from wiretape.control.client import ControlClient, ControlError

_PATIENCE = 5.0
"""How many seconds an answer may take altogether."""

_REFUSED = (401, 403)


def findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Ask the API, where a variable names one."""
    url = environ.get(CONTROL)
    if not url:
        return
    try:
        status = within(_PATIENCE, lambda: _status(url))
    except ControlError as e:
        if e.status in _REFUSED:
            yield ok("control", f"the API that {CONTROL} names answers, and wants a token")
        else:
            yield _silent(e.status)
    except (OSError, ValueError):
        # The URL may hold what is nobody's business, and so may the error.
        yield _silent(0)
    else:
        mode = status.get("mode")
        session = status.get("session")
        yield ok("control", f"the API that {CONTROL} names answers: mode {mode}, session {session}")


def _status(url: str) -> Mapping[str, object]:
    with ControlClient(url, timeout=_PATIENCE) as client:
        return client.status()


def _silent(status: int) -> Finding:
    advice = f"unset {CONTROL}: the proxy that it is about is gone, or wiretape_control names another place"
    if status:
        return warning("control", f"what answers where {CONTROL} says is no control API (status {status})", advice)
    return fault("control", f"nothing answers where {CONTROL} says that the control API is", advice)
