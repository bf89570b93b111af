"""The programs, as the doctor sees them: mitmproxy's parts, the configuration, the extras."""

import importlib.metadata
import warnings
from pathlib import Path

import mitmproxy.version
import pytest

from wiretape.cli.doctor.finding import Finding, State
from wiretape.network.address import Address
from wiretape.proxy.compat import supported
from wiretape.proxy.compat.supported import Feature

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from wiretape.cli.doctor import program
    from wiretape.cli.doctor.surroundings import Surroundings


def configuration(folder: Path, *settings: str) -> Finding:
    here = Surroundings({}, settings, Address("127.0.0.1", 8080), folder, folder)
    [only] = program.configuration(here)
    return only


def test_a_mitmproxy_that_is_another_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [each.state for each in program.proxy_program()] == [State.OK]
    with monkeypatch.context() as patch:
        patch.setattr(mitmproxy.version, "VERSION", "13.0.0")
        [finding] = program.proxy_program()
        assert finding.state is State.WARNING
    changed = {Feature.CONNECTIONS: "x is another one", Feature.HANDSHAKE: "y is gone"}
    monkeypatch.setattr(supported, "why_not", lambda feature: changed.get(feature, ""))
    assert {each.state for each in program.proxy_program()} == {State.FAULT, State.WARNING}
    assert all("pip install" in each.advice for each in program.proxy_program())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[session.main]\nmode = 'replay'\n", ""),
        ("[session.main]\nmod = 'replay'\n", ":2: [session.main]:"),
        ("[[match]]\nname = 'x'\nprovider = 'opnai'\nignore = ['$.a']\n", "opnai"),
        ("[[fault]]\nshare = 2\n", "share"),
        ("[session\n", "wiretape.toml"),
    ],
)
def test_a_configuration_is_checked_with_its_names(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "wiretape.toml"
    file.write_text(text, "utf-8")
    finding = configuration(tmp_path, f"wiretape_config={file}")
    assert (finding.state is State.FAULT) == bool(told)
    assert told in finding.said


def test_a_configuration_that_is_not_there_or_that_nothing_reads_is_told(tmp_path: Path) -> None:
    assert configuration(tmp_path).state is State.OK
    assert configuration(tmp_path, f"wiretape_config={tmp_path / 'none.toml'}").state is State.FAULT
    (tmp_path / "wiretape.toml").write_text("", "utf-8")
    finding = configuration(tmp_path)
    assert finding.state is State.WARNING
    assert "WIRETAPE_CONFIG=wiretape.toml" in finding.advice


def test_extras_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = [
        "mitmproxy<12.3,>=12.2",
        "starlette<2,>=0.45; extra == 'control'",
        'genai-prices<1; extra == "cost"',
        "wiretape[control]; extra == 'team'",
        "mypy; extra == 'test'",
    ]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: requirements)
    monkeypatch.setattr(program, "_is_installed", lambda package: package != "genai-prices")
    [finding] = program.extras()
    assert finding.said == "installed: control, team; not installed: cost"
    assert finding.advice.endswith("pip install '.[cost]'")
    assert finding.state is State.OK
