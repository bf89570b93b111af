"""Nothing secret is logged or printed, by whomever."""

import io
import logging
import sys
import warnings
from collections.abc import Iterator

import pytest
from mitmproxy.log import MitmFormatter

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addons.dumper import Dumper
    from mitmproxy.test import taddons, tflow

    from wiretape.cli.embedded import OneLine
    from wiretape.proxy.flow_printing import CleanDumper

from wiretape.codecs import printable
from wiretape.redaction import DEFAULT, REDACTED, logs

KEY = "AIza" + "Sy_-1" * 7


@pytest.fixture(name="lines")
def _lines() -> Iterator[io.StringIO]:
    """What a handler of the root logger writes, as mitmproxy formats it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(MitmFormatter(colorize=False))
    logging.getLogger().addHandler(handler)
    logs.install(DEFAULT)
    yield written
    logs.remove()
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("name", ["wiretape.tape.tape", "wiretape", "mitmproxy.proxy.server", "asyncio"])
def test_a_line_of_any_logger_is_clean(name: str, lines: io.StringIO) -> None:
    logging.getLogger(name).error("refused: %s: %d", f"https://x.example/?key={KEY}", 7)
    logging.getLogger(name).error(f"with {KEY}")
    assert KEY not in lines.getvalue()
    assert f"key={REDACTED}: 7" in lines.getvalue()


def test_a_traceback_is_clean_and_one_without_a_secret_is_the_formatters(lines: io.StringIO) -> None:
    for text in (KEY, "nothing"):
        try:
            dict[str, str]()[text]
        except KeyError:
            logging.getLogger("wiretape").exception("failed")
    said = lines.getvalue()
    assert KEY not in said
    assert f"KeyError: '{REDACTED}'" in said
    assert "KeyError: 'nothing'" in said
    assert said.count("Traceback") == 2


def test_a_line_that_cannot_be_formatted_tells_nothing(lines: io.StringIO) -> None:
    logging.getLogger("wiretape").error("%d", KEY)
    assert KEY not in lines.getvalue()
    assert "could not be looked through" in lines.getvalue()


def test_one_line_stays_one(lines: io.StringIO) -> None:
    record = logging.getLogger("wiretape").makeRecord("wiretape", 40, __file__, 1, "a %s", (KEY,), None)
    assert OneLine().format(record) == f"wiretape: a {REDACTED}"
    assert not lines.getvalue()


def test_a_crash_is_clean(capsys: pytest.CaptureFixture[str], lines: io.StringIO) -> None:
    sys.excepthook(KeyError, KeyError(KEY), None)
    assert f"KeyError: '{REDACTED}'" in capsys.readouterr().err
    assert not lines.getvalue()


def test_it_can_be_undone() -> None:
    logs.remove()  # A command that another test ran in this process leaves it installed.
    before = logging.getLogRecordFactory()
    assert logs.install(DEFAULT)
    assert not logs.install(DEFAULT)
    logs.remove()
    assert logging.getLogRecordFactory() is before
    assert sys.excepthook is sys.__excepthook__


@pytest.mark.parametrize("detail", [1, 2, 3])
@pytest.mark.parametrize("showhost", [False, True])
@pytest.mark.parametrize("secret", [KEY, "a-key-of-no-known-form-at-all"])
def test_what_mitmdump_prints_of_a_flow_is_clean(detail: int, showhost: bool, secret: str) -> None:
    written = io.StringIO()
    dumper = Dumper(written)
    with taddons.context(dumper) as context:
        context.configure(dumper, flow_detail=detail)
        context.options.update(showhost=showhost)
        cleaning = CleanDumper(context.master.addons)
        cleaning.install(DEFAULT)
        flow = tflow.tflow(resp=True)
        flow.request.path = f"/v1beta/models/gemini:generateContent?alt=sse&key={secret}"
        flow.request.headers["x-goog-api-key"] = KEY
        flow.request.content = f'{{"text": "{KEY}"}}'.encode()
        dumper.response(flow)
        said = written.getvalue()
        assert secret[:9] not in said
        assert KEY[:9] not in said
        assert "/v1beta/models/" in said
        assert "200 OK" in said
        assert secret in flow.request.path
        cleaning.remove()
        dumper.response(flow)
        assert dumper.outfp is written
        assert len(written.getvalue()) > len(said)


def test_a_key_that_the_width_of_the_terminal_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    dumper = Dumper(written)
    with taddons.context(dumper) as context:
        CleanDumper(context.master.addons).install(DEFAULT)
        flow = tflow.tflow(resp=True)
        for width in range(60, 140, 7):
            monkeypatch.setenv("COLUMNS", str(width))
            flow.request.path = f"/v1beta/models?key={KEY}"
            dumper.response(flow)
        assert KEY[:5] not in written.getvalue()


def test_where_there_is_no_dumper_nothing_is_done() -> None:
    with taddons.context() as context:
        CleanDumper(context.master.addons).install(DEFAULT)


HOSTILE = [
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\x9b31m",
    "a\rb",
    "\u202egnp.exe",
    "\ud800",
    "[bold]x[/bold]",
    "%s %(a)s {x}",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", ["wiretape.proxy.flows", "mitmproxy.proxy.server"])
def test_a_line_of_any_logger_is_shown_and_never_obeyed(name: str, text: str, lines: io.StringIO) -> None:
    logging.getLogger(name).warning("refused: %s", text)
    logging.getLogger(name).warning(text)
    try:
        int(f"x{text}")
    except ValueError:
        logging.getLogger(name).exception("failed")
    said = lines.getvalue()
    assert printable.lines(said) == said
    assert said.count(printable.lines(text)) >= 3
    said.encode()
