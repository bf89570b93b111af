"""wiretape unused and prune, as a user calls them."""

import json
import shutil
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

import s3
from samples import CHAT, RESPONSES
from wiretape.call_log.call import Call, Outcome, as_json
from wiretape.call_log.log import CallLog
from wiretape.call_log.places import make_log_file
from wiretape.cli.commands import app
from wiretape.store.base import RESPONSES as RESPONSES_FOLDER
from wiretape.store.base import WIRE
from wiretape.store.opening import open_store


@pytest.fixture(name="root")
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two sessions with the same recordings, and an empty state folder."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for session in ("main", "other"):
        shutil.copytree(RESPONSES, tmp_path / "recordings" / session / "responses")
    return tmp_path / "recordings"


def wiretape(root: Path, *args: object) -> Result:
    return CliRunner().invoke(app, [*map(str, args), "--recordings", str(root)], prog_name="wiretape")


def call(session: str, recording: str = CHAT.stem, at: float = 1_700_000_000.0) -> Call:
    return Call(at, session, "replay", Outcome.HIT, recording=recording, recorded_in=session, run="job", id=1)


def logged(root: Path, *calls: Call) -> None:
    """Have calls in the log of this machine."""
    log = CallLog(make_log_file(str(root)), "run")
    for each in calls:
        log.add(each)
    log.close()


def left(root: Path, session: str) -> set[str]:
    return {path.stem for path in (root / session / "responses").iterdir()}


def test_where_no_run_is_known_that_is_said_and_nothing_is_removed(root: Path) -> None:
    for command in (["unused"], ["prune", "--yes"], ["prune", "--yes", "--since", "1m"]):
        result = wiretape(root, *command)
        assert result.exit_code == 2
        assert "no run is known of" in result.stderr
    logged(root, call("main"))
    result = wiretape(root, "prune", "--yes", "--session", "other")
    assert (result.exit_code, "no run is known that asked session other" in result.stderr) == (2, True)
    assert left(root, "main") == left(root, "other") == {path.stem for path in RESPONSES.iterdir()}


def test_the_plan_comes_first_and_a_session_that_nobody_asked_stays(root: Path) -> None:
    logged(root, call("main"))
    others = sorted(left(root, "main") - {CHAT.stem})
    listed = wiretape(root, "unused")
    assert listed.exit_code == 1
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [f"main/{name}" for name in others]
    assert f"session main: nobody asked for {len(others)} of {len(others) + 1} recordings" in listed.stderr
    assert "session other: no run that asked it is known" in listed.stderr
    assert "by 1 call of 1 run, from 2023-11-14T22:13:20Z" in listed.stderr

    plan = wiretape(root, "prune")
    assert (plan.exit_code, plan.stdout) == (1, listed.stdout)
    assert left(root, "main") > {CHAT.stem}
    assert wiretape(root, "prune", "--yes").exit_code == 0
    assert left(root, "main") == {CHAT.stem}
    assert left(root, "other") > {CHAT.stem}
    assert wiretape(root, "unused").exit_code == 0


def test_reports_of_several_jobs_tell_it_together(root: Path, tmp_path: Path) -> None:
    first, second = sorted(left(root, "main"))[:2]
    reports = []
    for number, name in enumerate((first, second)):
        report = tmp_path / f"job-{number}.jsonl"
        report.write_text(json.dumps(as_json(call("main", name))) + "\n")
        reports += ["--calls", report]
    told = json.loads(wiretape(root, "unused", *reports, "--json").stdout)
    (main,) = told["sessions"]
    assert (told["runs"], told["calls"], main["session"]) == (1, 2, "main")
    unused = {name for each in main["unused"] for name in each["names"]}
    assert unused == left(root, "main") - {first, second}
    (tmp_path / "bad.jsonl").write_text("not a call\n")
    for file, says in (("bad.jsonl", "is no report of wiretape run: line 1"), ("none.jsonl", "there is no such file")):
        result = wiretape(root, "unused", "--calls", tmp_path / file)
        assert (result.exit_code, says in result.stderr) == (2, True)


def test_older_runs_can_be_left_out_and_a_time_has_to_be_one(root: Path) -> None:
    logged(root, call("main"))
    assert wiretape(root, "unused", "--since", "2023-11-14").exit_code == 1
    assert "no run is known" in wiretape(root, "unused", "--since", "2023-11-15T00:00:00Z").stderr
    assert "--since: 'lately' is neither a time" in wiretape(root, "unused", "--since", "lately").stderr


def test_a_frozen_session_stays_and_is_refused_where_it_is_named(root: Path, tmp_path: Path) -> None:
    logged(root, call("main"), call("other"))
    config = tmp_path / "wiretape.toml"
    config.write_text("[session.main]\nfrozen = true\n")
    named = wiretape(root, "prune", "--yes", "--config", config, "--session", "main", "--session", "other")
    assert (named.exit_code, "nothing is removed: session main is frozen" in named.stderr) == (2, True)
    assert left(root, "other") > {CHAT.stem}
    result = wiretape(root, "prune", "--yes", "--config", config)
    assert (result.exit_code, "session main stays as it is: it is frozen" in result.stderr) == (0, True)
    assert left(root, "main") > {CHAT.stem}
    assert left(root, "other") == {CHAT.stem}


@pytest.mark.parametrize("s3", ["moto"], indirect=True)
def test_a_bucket_is_as_a_folder(s3: s3.S3Server, root: Path) -> None:
    url = f"s3://team-bucket/unused/{uuid4().hex}"
    store = open_store(url, spool=0)
    for path in root.glob("main/responses/*.json"):
        for folder in (RESPONSES_FOLDER, WIRE):
            assert store.write("main", path.stem, path.read_bytes(), replace=True, folder=folder)
    log = CallLog(make_log_file(url), "run")
    log.add(call("main"))
    log.close()
    result = CliRunner().invoke(app, ["prune", "--yes", "--recordings", url], prog_name="wiretape")
    assert (result.exit_code, "3 recordings are removed" in result.stderr) == (0, True), result.stderr
    left_over = open_store(url, spool=0)
    assert [*left_over.scan("main")] == [CHAT.stem]
    assert [path.stem for path in RESPONSES.iterdir() if left_over.exists("main", path.stem, WIRE)] == [CHAT.stem]
