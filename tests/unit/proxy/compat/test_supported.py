"""Whether this mitmproxy is one that is known, and that another is noticed, whatever part of it is another."""

import ast
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from types import ModuleType

import pytest
from mitmproxy import exceptions
from mitmproxy.options import Options

from places import ROOT
from wiretape.proxy import configure
from wiretape.proxy.compat import supported
from wiretape.proxy.compat.supported import NEEDED, PARTS, Feature, Names, Part

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addons import dumper, proxyserver, tlsconfig  # noqa: F401  they are loaded now, and warn no more

ROWS = [(feature, part) for feature, parts in PARTS.items() for part in parts]


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    supported.why_not.cache_clear()
    yield
    supported.why_not.cache_clear()


@pytest.mark.parametrize("feature", Feature)
def test_this_mitmproxy_is_known(feature: Feature) -> None:
    assert supported.has(feature)
    assert supported.why_not(feature) == ""
    assert supported.warning(feature) == ""


def test_every_row_says_why_it_is_there() -> None:
    assert all(part.why for _, part in ROWS)
    assert {feature for feature, _ in ROWS} == {*Feature}


@pytest.mark.parametrize(("feature", "part"), ROWS, ids=lambda value: getattr(value, "name", ""))
def test_a_part_that_is_another_is_noticed_and_named(
    feature: Feature, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(part, Names):
        monkeypatch.delattr(f"{part.module}.{part.names.split()[-1]}")
    else:
        monkeypatch.setattr(f"{part.module}.{part.name.partition('.')[0]}", object())
    assert supported._reason(part)
    said = supported.warning(feature)
    assert said.startswith("mitmproxy 12.")
    assert said.endswith(feature.value)


@pytest.mark.parametrize(("feature", "part"), ROWS, ids=lambda value: getattr(value, "name", ""))
def test_a_module_that_is_gone_is_noticed(feature: Feature, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, part.module, None)
    assert part.module.rpartition(".")[2] in supported.why_not(feature)


def test_one_parameter_more_is_another_function() -> None:
    part = supported.Method("m", "f", "a b", "why")
    assert part.reason(lambda a, b: (a, b)) == ""
    assert part.reason(lambda a, b, c: (a, b, c)) == "f is another one"
    assert part.reason(lambda b, a: (a, b)) == "f is another one"
    assert part.reason(None) == "f is another one"


class Made:
    annotated: int

    def __init__(self) -> None:
        self.made = 1


class Derived(Made):
    own = 1


def test_a_field_is_of_the_class_an_annotation_or_set_by_the_constructor() -> None:
    assert supported.Fields("m", "Derived", "annotated made own", "why").reason(Derived) == ""
    assert supported.Fields("m", "Derived", "made other", "why").reason(Derived) == "Derived.other is another one"
    assert supported.Fields("m", "Derived", "made", "why").reason(None) == "Derived.made is another one"
    assert supported.Exactly("m", "Made", "annotated", "why").reason(Made) == ""
    assert supported.Exactly("m", "Made", "annotated made", "why").reason(Made) == "Made is another one"
    assert supported.Names("m", "a", "why").reason(ModuleType("m")) == "m.a is gone"


@pytest.mark.parametrize("feature", NEEDED)
def test_nothing_is_started_where_a_promise_hangs_on_it(feature: Feature, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supported, "why_not", lambda asked: "x is another one" if asked is feature else "")
    with pytest.raises(exceptions.OptionsError, match=r"not one that wiretape knows \(x is another one\): .*started"):
        configure.check(Options())


def test_every_import_of_what_is_private_has_its_row() -> None:
    listed = {(part.module, name) for _, part in ROWS if isinstance(part, Names) for name in part.names.split()}
    listed |= {(part.module, part.name.partition(".")[0]) for _, part in ROWS}
    found = 0
    for file in (ROOT / "addons" / "wiretape" / "proxy").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and _is_private(node.module):
                names = {(node.module, alias.name) for alias in node.names}
                assert names <= listed, f"{file.name}: {names - listed}"
                found += len(names)
    assert found > 20


def _is_private(module: str) -> bool:
    package, *below = module.split(".")
    return package in ("mitmproxy", "h11", "h2") and any(part.startswith("_") for part in below)


# -- a mitmproxy that was changed before wiretape was loaded -----------------------------------------------------------


CHANGES = {
    "one parameter more": (
        "HttpStream.send_response = lambda self, already_streamed=False, more=None: None",
        "HttpStream.send_response",
    ),
    "one parameter less": ("HttpStream.start_response_stream = lambda: None", "HttpStream.start_response_stream"),
    "a parameter of another name": (
        "HttpLayer.event_to_child = lambda self, layer, event: None",
        "HttpLayer.event_to_child",
    ),
    "a method that is gone": ("del HttpLayer.make_stream", "HttpLayer.make_stream"),
    "a class that is gone": ("del http.HttpStream", "HttpStream.__init__"),
    "another constructor": ("HttpLayer.__init__ = lambda self, context: None", "HttpLayer.__init__"),
    "a module that is gone": ("sys.modules['mitmproxy.proxy.layers.http._http2'] = None", "_http2"),
    "a name that is gone": ("del http.validate_request", "validate_request"),
}
UNUSED = "HttpStream.check_body_size = lambda self: None; HttpLayer.more = 1"
"""What ours do not use may be another."""

# Each change has a fork of its own: mitmproxy is imported once, and of ours what does not look at it.
PROGRAM = """
import json, os, sys
import mitmproxy.tools.dump, wiretape.journal.writer_process, wiretape.library.folding, wiretape.cluster.worker
from mitmproxy.proxy.layers import http
from mitmproxy.proxy.layers.http import HttpLayer, HttpStream
for name, change in json.loads(sys.argv[1]).items():
    if os.fork() == 0:
        exec(change)
        from wiretape.proxy import addon
        from wiretape.proxy.compat import supported
        print(json.dumps([name, supported.warning(supported.Feature.LAYERS)]))
        break
    assert os.wait()[1] == 0, name
"""


@pytest.fixture(scope="module")
def said() -> dict[str, str]:
    """What is said of a mitmproxy in which something is another thing, for each of the changes."""
    changes = {name: how for name, (how, _) in CHANGES.items()} | {"unused": UNUSED}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(changes)],
        env={"PYTHONPATH": str(ROOT / "addons")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return dict(json.loads(line) for line in result.stdout.splitlines())


@pytest.mark.parametrize("change", CHANGES)
def test_another_mitmproxy_is_not_known_and_that_is_said(change: str, said: dict[str, str]) -> None:
    _, named = CHANGES[change]
    assert named in said[change]
    assert said[change].startswith("mitmproxy 12.")
    assert "is not one that wiretape knows" in said[change]
    assert "single flight" in said[change]


def test_what_ours_do_not_use_may_be_another(said: dict[str, str]) -> None:
    assert said["unused"] == ""
