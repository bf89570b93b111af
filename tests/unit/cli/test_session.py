"""wiretape session, as a user calls it."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

import forked
import s3
from samples import CHAT, RESPONSES, SAMPLES
from wiretape.cli.commands import app

OTHER = SAMPLES["cerebras completions"]
CONFIG = '[session.checkout]\nlayers = ["main"]\nmode = "replay"\npace = "50tps"\n[session.later]\nfrozen = true\n'


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WIRETAPE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Sessions: main has all but the chat, checkout has the chat and one other."""
    root = tmp_path / "recordings"
    shutil.copytree(RESPONSES, root / "main" / "responses")
    (root / "main" / "responses" / CHAT.name).unlink()
    (root / "checkout" / "responses").mkdir(parents=True)
    for path in (CHAT, OTHER):
        shutil.copy(path, root / "checkout" / "responses")
    return root


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "team.toml"
    path.write_text(CONFIG)
    return path


def wiretape(*args: object) -> Result:
    return CliRunner().invoke(app, ["session", *map(str, args)], prog_name="wiretape")


def run(root: Path, *args: object) -> Result:
    return wiretape(*args, "--recordings", root)


def state(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# -- looking -----------------------------------------------------------------------------------------------------------


def test_ls(root: Path, config: Path) -> None:
    run(root, "freeze", "main", "--yes")
    result = run(root, "ls", "--config", config)
    assert result.exit_code == 0
    checkout, later, main = (line.split() for line in result.stdout.splitlines()[1:])
    assert checkout == ["checkout", "2", "replay", "main"]
    assert later == ["later", "0", "frozen", "by", "the", "configuration"]
    assert main[:3] == ["main", "3", "frozen"]


def test_ls_passes_over_what_is_no_session(root: Path) -> None:
    (root / "No Session" / "responses").mkdir(parents=True)
    result = run(root, "ls")
    assert result.exit_code == 0
    assert "No Session" not in result.stdout
    assert "passed over: 'No Session'" in result.stderr


def test_show(root: Path, config: Path) -> None:
    (root / "checkout" / "responses" / "broken.json").write_text("{}")
    result = run(root, "show", "checkout", "--config", config)
    assert result.exit_code == 0
    assert "3 recordings, 0 captures, 2 requests" in result.stdout
    assert "not frozen" in result.stdout
    assert "looked up in checkout, then main" in result.stdout
    assert "pace: 50tps" in result.stdout
    assert "     1  /v1/completions llama-3.3-70b" in result.stdout
    assert "broken.json: no request" in result.stderr
    assert "below checkout" in run(root, "show", "main", "--config", config).stdout


def test_diff(root: Path) -> None:
    path = root / "checkout" / "responses" / OTHER.name
    path.write_text(path.read_text().replace('"The"', '"Thy"'))
    result = run(root, "diff", "checkout", "main")
    assert result.exit_code == 1
    lines = sorted(line[:14] for line in result.stdout.splitlines())
    assert lines == sorted([f"- {CHAT.stem}", "+ e22f98c05933", "+ f3cbd3f07e60", f"~ {OTHER.stem}"])
    assert "Thy sentence" in result.stdout
    assert "- 1 only in checkout, + 2 only in main, ~ 1 that differ, 0 the same" in result.stderr


def test_diff_with_a_session_that_is_configured_and_has_nothing_yet(root: Path, tmp_path: Path) -> None:
    config = tmp_path / "wiretape.toml"
    config.write_text("[session.new]\n", "utf-8")
    result = run(root, "diff", "checkout", "new", "--config", str(config))
    assert result.exit_code == 1
    assert "+ 0 only in new" in result.stderr


def test_diff_of_the_same_is_nothing(root: Path) -> None:
    result = run(root, "diff", "main", "main")
    assert (result.exit_code, result.stdout) == (0, "")


# -- doing -------------------------------------------------------------------------------------------------------------

DOING = [("promote", "checkout", "--into", "main"), ("freeze", "main"), ("rm", "checkout")]


@pytest.mark.parametrize("args", DOING)
def test_without_yes_nothing_is_done_and_the_plan_is_told(root: Path, args: tuple[str, ...]) -> None:
    before = state(root)
    result = run(root, *args)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{args[0].replace('rm', 'remove')} ")
    assert "add --yes to do it" in result.stderr
    assert state(root) == before
    assert run(root, *args, "--yes").exit_code == 0
    assert state(root) != before


def test_promote(root: Path) -> None:
    result = run(root, "promote", "checkout", "--into", "main", "--yes")
    assert result.exit_code == 0
    assert "1 new, 0 replaced, 1 the same already" in result.stdout
    assert f"+ {CHAT.stem} /v1/chat/completions" in result.stdout
    assert {path.name for path in (root / "main" / "responses").iterdir()} == {
        path.name for path in RESPONSES.iterdir()
    }
    again = run(root, "promote", "checkout", "--into", "main")
    assert again.exit_code == 0
    assert "0 new, 0 replaced, 2 the same already" in again.stdout


def test_promote_shows_what_is_replaced(root: Path) -> None:
    path = root / "checkout" / "responses" / OTHER.name
    path.write_text(path.read_text().replace('"The"', '"Thy"'))
    shutil.copy(OTHER, root / "main" / "responses" / f"{OTHER.stem}.2.json")
    result = run(root, "promote", "checkout", "--into", "main")
    assert (
        f"~ {OTHER.stem} /v1/completions llama-3.3-70b (and {OTHER.stem}.2 removed): 2 takes -> 1 take" in result.stdout
    )


def test_promote_refuses_a_secret(root: Path) -> None:
    path = root / "checkout" / "responses" / CHAT.name
    path.write_text(path.read_text().replace("Hello!", "sk-" + "a1B2" * 10))
    before = state(root)
    result = run(root, "promote", "checkout", "--into", "main", "--yes")
    assert result.exit_code == 2
    assert f"{CHAT.name}: a secret is in it" in result.stdout
    assert "nothing is promoted" in result.stderr
    assert state(root) == before


def test_promote_into_a_session_that_the_configuration_freezes(root: Path, config: Path) -> None:
    result = run(root, "promote", "checkout", "--into", "later", "--config", config, "--yes")
    assert result.exit_code == 2
    assert "later is frozen by the configuration" in result.stderr
    assert not (root / "later").exists()


def test_freeze_and_thaw(root: Path) -> None:
    before = state(root)
    assert run(root, "freeze", "main", "--yes").exit_code == 0
    (mark,) = (root / "main" / ".wiretape").iterdir()
    assert set(json.loads(mark.read_text())) == {"by", "at"}
    again = run(root, "freeze", "main")
    assert again.exit_code == 0
    assert "already" in again.stdout
    for args in (("promote", "checkout", "--into", "main"), ("rm", "main")):
        refused = run(root, *args, "--yes")
        assert refused.exit_code == 2
        assert "frozen" in refused.output
    assert run(root, "thaw", "main").exit_code == 1
    assert run(root, "thaw", "main", "--yes").exit_code == 0
    assert state(root) == before
    assert run(root, "thaw", "main").exit_code == 0


def test_a_mark_is_no_recording_to_the_other_commands(root: Path) -> None:
    run(root, "freeze", "main", "--yes")
    result = CliRunner().invoke(app, ["verify", str(root)])
    assert result.exit_code == 0
    assert "5 2025-09; 0 faults" in result.stderr


def test_what_the_configuration_freezes_is_thawed_there(root: Path, config: Path) -> None:
    result = run(root, "thaw", "later", "--config", config, "--yes")
    assert result.exit_code == 2
    assert "take frozen = true out of [session.later]" in result.stderr


def test_rm_takes_the_folder_and_names_what_else_is_in_it(root: Path) -> None:
    (root / "checkout" / "notes.txt").write_text("mine")
    shown = run(root, "rm", "checkout").stdout
    assert "2 recordings, 0 captures, 1 other file (notes.txt)" in shown
    main = state(root / "main")
    assert run(root, "rm", "checkout", "--yes").exit_code == 0
    assert not (root / "checkout").exists()
    assert state(root / "main") == main


def test_rm_leaves_what_others_stand_on(root: Path, config: Path) -> None:
    result = run(root, "rm", "main", "--config", config, "--yes")
    assert result.exit_code == 2
    assert "it is a layer of checkout" in result.stderr
    assert (root / "main").exists()


# -- names -------------------------------------------------------------------------------------------------------------

CALLS: list[Callable[[str], tuple[str, ...]]] = [
    lambda name: ("show", name),
    lambda name: ("diff", name, "main"),
    lambda name: ("diff", "main", name),
    lambda name: ("promote", name, "--into", "main", "--yes"),
    lambda name: ("freeze", name, "--yes"),
    lambda name: ("thaw", name, "--yes"),
    lambda name: ("rm", name, "--yes"),
]


@pytest.mark.parametrize("call", [*CALLS, lambda name: ("promote", "main", "--into", name, "--yes")])
@pytest.mark.parametrize("name", ["../outside", "..", ".", "main/responses", ""])
def test_a_name_that_is_a_path_goes_nowhere(
    root: Path, tmp_path: Path, call: Callable[[str], tuple[str, ...]], name: str
) -> None:
    shutil.copytree(RESPONSES, tmp_path / "outside" / "responses")
    shutil.copytree(RESPONSES, tmp_path / "responses")
    before = state(tmp_path)
    result = run(root, *call(name))
    assert result.exit_code == 2
    assert "no session name" in result.stderr
    assert state(tmp_path) == before


@pytest.mark.parametrize("call", CALLS)
def test_a_session_that_there_is_not_is_told(root: Path, call: Callable[[str], tuple[str, ...]]) -> None:
    result = run(root, *call("chekout"))
    assert result.exit_code == 2
    assert "no session chekout" in result.stderr
    assert "there are checkout, main" in result.stderr


def test_a_link_out_of_the_folder_is_not_removed(root: Path, tmp_path: Path) -> None:
    shutil.copytree(RESPONSES, tmp_path / "outside" / "responses")
    (root / "link").symlink_to(tmp_path / "outside")
    assert run(root, "rm", "link", "--yes").exit_code == 2
    assert len([*(tmp_path / "outside" / "responses").iterdir()]) == 4


def test_a_folder_or_a_file_that_there_is_not(root: Path, tmp_path: Path) -> None:
    assert "is no directory" in wiretape("ls", "--recordings", tmp_path / "none").stderr
    assert wiretape("ls", "--recordings", "ftp://x/y").exit_code == 2
    assert "none.toml" in run(root, "ls", "--config", tmp_path / "none.toml").stderr
    (tmp_path / "wrong.toml").write_text("[session.a]\nmode = 'play'")
    assert "mode: is one of live, " in run(root, "ls", "--config", tmp_path / "wrong.toml").stderr


def test_the_environment_says_where(root: Path, config: Path) -> None:
    env = os.environ | {"WIRETAPE_RECORDINGS": str(root), "WIRETAPE_CONFIG": str(config)}
    result = forked.wiretape("session", "rm", "main", "--yes", env=env)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "wiretape: session main stays: it is a layer of checkout\n"


# -- in a bucket -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("s3", ["moto"], indirect=True)
def test_a_bucket_is_as_a_folder(s3: s3.S3Server, root: Path) -> None:
    url = f"s3://team-bucket/cli/{uuid4().hex}"
    bucket = _filled(url, root)
    assert [line.split()[:2] for line in bucket("ls").stdout.splitlines()[1:]] == [["checkout", "2"], ["main", "3"]]
    assert bucket("diff", "checkout", "main").exit_code == 1
    assert bucket("promote", "checkout", "--into", "main", "--yes").exit_code == 0
    assert "1 new" not in bucket("promote", "checkout", "--into", "main").stdout
    assert bucket("freeze", "checkout", "--yes").exit_code == 0
    assert bucket("rm", "checkout", "--yes").exit_code == 2
    assert bucket("thaw", "checkout", "--yes").exit_code == 0
    assert bucket("rm", "checkout", "--yes").exit_code == 0
    assert [line.split()[:2] for line in bucket("ls").stdout.splitlines()[1:]] == [["main", "4"]]


def _filled(url: str, root: Path) -> Callable[..., Result]:
    from wiretape.store.opening import open_store

    store = open_store(url, spool=0)
    for path in root.glob("*/responses/*.json"):
        store.write(path.parts[-3], path.stem, path.read_bytes(), replace=False)
    return lambda *args: wiretape(*args, "--recordings", url)
