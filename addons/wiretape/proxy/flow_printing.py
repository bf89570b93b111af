"""What mitmdump prints of a flow: its URL, and with ``flow_detail`` its headers and bodies. Beside the way.

mitmproxy's dumper writes to standard output by itself, not to the log, and cuts a URL to the width of the terminal: a
key that is cut is no longer known as one. So it is shown a URL that is clean, and what it writes is looked through.
"""

from typing import IO, Any

from mitmproxy import addonmanager, http

from wiretape.redaction import Redactor
from wiretape.redaction.recorded import url


class CleanFile:
    """A file that is written to without secrets."""

    def __init__(self, file: IO[str], redactor: Redactor) -> None:
        self.file = file
        self._redactor = redactor

    def __getattr__(self, name: str) -> Any:
        """All else is the file's own."""
        return getattr(self.file, name)

    def write(self, text: str) -> int:
        """Write a text without its secrets."""
        return self.file.write(self._redactor.text(text))


class ShownFlow:
    """A flow with another request."""

    def __init__(self, flow: http.HTTPFlow, request: http.Request) -> None:
        self._flow = flow
        self.request = request

    def __getattr__(self, name: str) -> Any:
        """All else is the flow's own."""
        return getattr(self._flow, name)


class CleanDumper:
    """The dumper of one mitmproxy, which can print secrets or not."""

    def __init__(self, manager: addonmanager.AddonManager) -> None:
        dumper = manager.get("dumper")
        is_known = hasattr(dumper, "echo_flow") and hasattr(dumper, "outfp")
        self._dumper: Any = dumper if is_known else None

    def install(self, redactor: Redactor) -> None:
        """Have nothing secret printed."""
        if self._dumper is None:
            return
        self.remove()
        echo = self._dumper.echo_flow

        def echo_flow(flow: http.HTTPFlow) -> None:
            echo(_shown(flow, redactor))

        self._dumper.__dict__["echo_flow"] = echo_flow
        self._dumper.outfp = CleanFile(self._dumper.outfp, redactor)

    def remove(self) -> None:
        """Leave all as it was."""
        if self._dumper is None:
            return
        self._dumper.__dict__.pop("echo_flow", None)
        if isinstance(self._dumper.outfp, CleanFile):
            self._dumper.outfp = self._dumper.outfp.file


def _shown(flow: http.HTTPFlow, redactor: Redactor) -> Any:
    path = flow.request.path
    cleaned = url(path, redactor)
    if cleaned == path:
        return flow
    request = flow.request.copy()
    request.path = cleaned
    return ShownFlow(flow, request)
