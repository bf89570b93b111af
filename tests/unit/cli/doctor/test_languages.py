"""What each language needs behind a proxy: told for those that are on the path."""

from dataclasses import replace
from pathlib import Path

import pytest

from authorities import Certificate
from wiretape.cli import authority, proxy_url
from wiretape.cli.certificates import write_trust_files
from wiretape.cli.doctor.finding import State
from wiretape.cli.doctor.languages import LANGUAGES, findings
from wiretape.cli.doctor.proxies import Way
from wiretape.cli.environment import child_environment

OURS = authority.parse(Certificate().pem)
PROXY = proxy_url.parse("http://sky:wt_secret@proxy.example:9")
WAY = Way(PROXY, is_ours=True, authority=OURS)
PROGRAMS = {name: language for language in LANGUAGES for name in language.programs}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A path with a program for each language: of Node one that tells an old version."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text("#!/bin/sh\necho v20.1.0\n", "ascii")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def environ(programs: Path, tmp_path: Path) -> dict[str, str]:
    """What ``wiretape run`` gives its command."""
    files = write_trust_files(tmp_path / "trust", Certificate().pem + OURS.pem)
    return child_environment({"PATH": str(programs)}, PROXY.value, files)


def states(environ: dict[str, str], way: Way = WAY) -> dict[str, tuple[State, str]]:
    found = {each.check: (each.state, each.said) for each in findings(environ, way)}
    assert "secret" not in str(found)
    return found


def test_with_what_we_set_each_of_them_trusts_the_proxy(environ: dict[str, str]) -> None:
    found = states(environ)
    assert found.keys() == {each.name for each in LANGUAGES}
    assert {state for state, _ in found.values()} == {State.OK}


def test_without_it_each_of_them_has_a_line(programs: Path) -> None:
    found = states({"PATH": str(programs)})
    assert found.keys() == {each.name for each in LANGUAGES}
    assert {state for state, _ in found.values()} == {State.WARNING}


def test_with_another_ca_each_of_them_is_a_fault(environ: dict[str, str]) -> None:
    other = replace(WAY, authority=authority.parse(Certificate().pem))
    assert {state for state, _ in states(environ, other).values()} == {State.FAULT}


def test_java_may_be_led_elsewhere_and_an_unfinished_quote_is_told(environ: dict[str, str]) -> None:
    elsewhere = Way(proxy_url.parse("http://other:9"), is_ours=True, authority=OURS)
    assert states(environ, elsewhere)["java"] == (State.FAULT, "JAVA_TOOL_OPTIONS names another proxy than HTTPS_PROXY")
    state, said = states(environ | {"JAVA_TOOL_OPTIONS": '"'})["java"]
    assert (state, said) == (State.FAULT, "JAVA_TOOL_OPTIONS has a quote without an end")


@pytest.mark.parametrize(
    ("version", "variables", "told"),
    [
        ("v20.1.0", {"NODE_OPTIONS": ""}, "Node 20.1 reads no proxy by itself"),
        ("v22.20.0", {"NODE_OPTIONS": ""}, "Node 22.20 reads no proxy by itself"),
        ("v22.21.0", {"NODE_OPTIONS": ""}, ""),
        ("v24.0.0", {"NODE_OPTIONS": ""}, ""),
        ("v24.0.0", {"NODE_OPTIONS": "", "NODE_USE_ENV_PROXY": "0"}, "NODE_USE_ENV_PROXY is not 1"),
    ],
)
def test_node_by_its_version(
    environ: dict[str, str], programs: Path, version: str, variables: dict[str, str], told: str
) -> None:
    (programs / "node").write_text(f"#!/bin/sh\necho {version}\n", "ascii")
    state, said = states(environ | variables)["node"]
    assert (state is State.WARNING) == bool(told)
    assert told in said


def test_a_bundle_that_is_no_file_keeps_nobody_waiting(environ: dict[str, str], tmp_path: Path) -> None:
    state, said = states(environ | {"CURL_CA_BUNDLE": "/dev/zero"})["curl"]
    assert (state, said) == (State.FAULT, "CURL_CA_BUNDLE: /dev/zero cannot be read")
    assert states(environ | {"CURL_CA_BUNDLE": str(tmp_path)})["curl"][0] is State.FAULT


def test_behind_no_wiretape_a_line_tells_what_is_there(environ: dict[str, str]) -> None:
    [(check, (state, said))] = states(environ, Way()).items()
    assert (check, state) == ("languages", State.OK)
    assert said.startswith("on the path: curl, git, python, node")
    assert states({"PATH": ""}, Way())["languages"][1] == "on the path: none"


def test_the_variables_are_those_that_we_set(environ: dict[str, str]) -> None:
    assert {each.variable for each in LANGUAGES} <= environ.keys()
