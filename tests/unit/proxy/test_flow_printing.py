"""What mitmdump prints of a flow: no key in a URL that is cut, none in a body; and all as before at the end."""

import io
from types import SimpleNamespace
from typing import Any

from mitmproxy.test import tflow

from drawn import draw
from wiretape.proxy.flow_printing import CleanDumper, CleanFile
from wiretape.redaction import Redactor

REDACTOR = Redactor(environment={})
KEY = draw("sk-proj-{a40}")


class Dumper:
    """As mitmproxy's, with what it was shown."""

    def __init__(self) -> None:
        self.outfp: Any = io.StringIO()
        self.shown: list[Any] = []

    def echo_flow(self, flow: Any) -> None:
        self.shown.append(flow)
        self.outfp.write(f"{flow.request.path} {flow.request.content!r}\n")


def manager(dumper: Any) -> Any:
    return SimpleNamespace(get={"dumper": dumper}.get)


def flow(path: str) -> Any:
    made = tflow.tflow()
    made.request.path = path
    made.request.text = f"my key is {KEY}"
    return made


def test_no_key_is_printed_and_the_flow_is_not_changed() -> None:
    dumper = Dumper()
    clean = CleanDumper(manager(dumper))
    clean.install(REDACTOR)
    asked = flow(f"/v1/x?key={KEY}&n=1")
    dumper.echo_flow(asked)
    printed = dumper.outfp.getvalue()
    assert KEY not in printed
    assert printed.startswith("/v1/x?key=__redacted__&n=1 ")
    assert asked.request.path == f"/v1/x?key={KEY}&n=1"
    assert dumper.shown[0].id == asked.id, "all else is the flow's own"


def test_a_flow_without_a_key_is_shown_itself() -> None:
    dumper = Dumper()
    CleanDumper(manager(dumper)).install(REDACTOR)
    asked = flow("/v1/x?n=1")
    dumper.echo_flow(asked)
    assert dumper.shown == [asked]


def test_it_is_undone_and_may_be_installed_again() -> None:
    dumper = Dumper()
    file = dumper.outfp
    clean = CleanDumper(manager(dumper))
    for _ in range(2):
        clean.install(REDACTOR)
    assert dumper.outfp.file is file
    clean.remove()
    clean.remove()
    assert dumper.outfp is file
    dumper.echo_flow(flow(f"/?key={KEY}"))
    assert KEY in file.getvalue()


def test_another_dumper_or_none_is_left_alone() -> None:
    for dumper in (None, object()):
        clean = CleanDumper(manager(dumper))
        clean.install(REDACTOR)
        clean.remove()


def test_a_file_is_otherwise_its_own() -> None:
    file = io.StringIO()
    CleanFile(file, REDACTOR).write(f"a {KEY} b")
    assert CleanFile(file, REDACTOR).getvalue() == "a __redacted__ b"
