"""ls, show, verify and convert, as a user calls them."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

import s3
from forked import wiretape
from samples import CHAT, RESPONSES, SAMPLES
from wiretape.cli.commands import app
from wiretape.recording.capture import Capture, Origin, digest, dumps, loads
from wiretape.store.base import WIRE, Store
from wiretape.store.directory import DirectoryStore

OTHER = SAMPLES["cerebras completions"]
MADE = Origin("ci", "2026-01-31T12:00:00Z", "OpenAI/Python 3.52.0", "0.1.0", 1234.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(RESPONSES, tmp_path / "recordings" / "default" / "responses")
    return tmp_path / "recordings"


def test_verify_is_silent_over_sound_recordings(folder: Path) -> None:
    result = wiretape("verify", folder)
    assert (result.returncode, result.stdout) == (0, "")
    assert "4 2025-09; 0 faults" in result.stderr


def test_verify_says_each_fault_in_a_line(folder: Path) -> None:
    responses = folder / "default" / "responses"
    (responses / "f3cbd3f07e60.json").write_text("{}")
    (responses / CHAT.name).rename(responses / "greeting.json")
    result = wiretape("verify", folder)
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert len(lines) == 2
    assert "f3cbd3f07e60.json: no request" in lines[0]
    assert "greeting.json: its name is not its hash, which is e99f14805360" in lines[1]


def test_ls_names_every_recording(folder: Path) -> None:
    result = wiretape("ls", folder)
    assert result.returncode == 0
    rows = result.stdout.splitlines()
    assert len(rows) == 5
    assert rows[0].split() == ["recording", "when", "model", "answer", "USD", "question"]
    assert re.fullmatch(
        r"default/af6ca03dcbc3  20\d\d-\d\d-\d\d  llama-3.3-70b   50 tokens  0.0000821  Respond.*…", rows[1]
    )
    assert all(len(row) <= 80 for row in rows)


def test_ls_is_there_for_programs(folder: Path) -> None:
    keep(folder, MADE)
    made = {row["name"]: row for row in json.loads(wiretape("ls", "--json", folder).stdout)}
    assert len(made) == 4
    row = made[f"default/responses/{CHAT.stem}"]
    assert row["when"] == MADE.at
    assert (row["endpoint"], row["tokens"], row["question"]) == ("/v1/chat/completions", 26, "Hello, world!")
    assert json.loads(wiretape("ls", "--json", "--search", "nothing of the kind", folder).stdout) == []


def test_ls_searches_questions_and_answers(folder: Path) -> None:
    for text in ("hello, WORLD", "nice to meet you"):
        rows = wiretape("ls", "--search", text, folder).stdout.splitlines()
        assert [row.split()[0] for row in rows[1:]] == [f"default/{CHAT.stem}"]


def test_show_cuts_what_is_long(folder: Path) -> None:
    path = folder / "default" / "responses" / CHAT.name
    image = f"data:image/png;base64,{'iVBORw0K' * 5000}"
    long = "Hello, world! " * 500
    told = json.loads(path.read_bytes())
    told["request"]["body"]["messages"] = [{"role": "user", "content": [long, {"image_url": {"url": image}}]}]
    path.write_text(json.dumps(told))
    result = wiretape("show", "e99f", folder)
    assert "data:image/png;base64,… (30.0 kB)" in result.stdout
    assert "(6,400 characters)" in result.stdout
    assert len(result.stdout) < 3000
    assert "--full shows all" in result.stderr
    full = wiretape("show", "--full", "e99f", folder)
    assert image in full.stdout
    assert long in full.stdout
    assert full.stderr == ""


def test_show_tells_what_was_asked_and_answered(folder: Path) -> None:
    result = wiretape("show", "e99f", folder)
    assert result.returncode == 0
    assert '"content": "Hello, world!"' in result.stdout
    assert "answered:\nHello!" in result.stdout
    assert "\n  tokens: 14 input, 26 output: 0.000008 USD\n" in result.stdout
    missing = wiretape("show", "0000", folder)
    assert missing.returncode == 1
    assert "begins with 0000" in missing.stderr


def test_convert_there_and_back(folder: Path) -> None:
    assert wiretape("convert", "--to", "2026", folder).returncode == 0
    names = [path.stem for path in (folder / "default" / "responses").iterdir()]
    assert {len(name) for name in names} == {64}
    assert wiretape("verify", folder).returncode == 0
    assert wiretape("convert", "--to", "2025-09", folder).returncode == 0
    assert {path.name for path in (folder / "default" / "responses").iterdir()} == {p.name for p in RESPONSES.iterdir()}


def test_convert_keeps_takes_and_takes_captures_along(folder: Path) -> None:
    responses, wire = folder / "default" / "responses", folder / "default" / "wire"
    shutil.copy(responses / CHAT.name, responses / "e99f14805360.2.json")
    wire.mkdir()
    kept = Capture(digest(CHAT.read_bytes()), 200, (), (b"data: [DONE]\n\n",), (1.0,))
    (wire / CHAT.name).write_bytes(dumps(kept))
    assert wiretape("convert", "--to", "2026", folder).returncode == 0
    (name,) = [path.stem for path in responses.iterdir() if path.stem.endswith(".2")]
    base = name.removesuffix(".2")
    assert (responses / f"{base}.json").exists()
    (moved,) = wire.iterdir()
    assert moved.stem == base
    assert loads(moved.read_bytes()).recording == digest((responses / moved.name).read_bytes())


def test_a_secret_in_a_capture_is_a_fault(folder: Path) -> None:
    wire = folder / "default" / "wire"
    wire.mkdir()
    secret = b"sk-" + b"a1B2" * 10
    (wire / CHAT.name).write_bytes(dumps(Capture("sha256:0", 200, (), (secret[:9], secret[9:]), (1.0, 2.0))))
    result = wiretape("verify", folder)
    assert result.returncode == 1
    assert f"wire/{CHAT.name}: a secret is in it" in result.stdout


def test_convert_to_another_folder_leaves_the_old_ones(folder: Path, tmp_path: Path) -> None:
    assert wiretape("convert", "--to", "2026", "--output", tmp_path / "new", folder).returncode == 0
    assert len([*(tmp_path / "new").rglob("*.json")]) == 4
    assert (folder / "default" / "responses" / CHAT.name).read_bytes() == CHAT.read_bytes()


def test_a_wrong_form_names_the_right_ones(folder: Path) -> None:
    result = wiretape("convert", "--to", "2024", folder)
    assert result.returncode == 2
    assert "2025-09" in result.stderr


# -- who had it recorded -----------------------------------------------------------------------------------------------


def keep(folder: Path, origin: Origin | None) -> None:
    wire = folder / "default" / "wire"
    wire.mkdir(exist_ok=True)
    (wire / CHAT.name).write_bytes(dumps(Capture(digest(CHAT.read_bytes()), 200, (), (b"x",), (1.0,), origin)))


def head(result: subprocess.CompletedProcess[str]) -> list[str]:
    """What show says before what was asked."""
    assert result.returncode == 0, result.stderr
    return [line.strip() for line in result.stdout.partition("asked:")[0].splitlines()[4:]]


def test_show_tells_who_had_it_recorded(folder: Path) -> None:
    assert head(wiretape("show", "e99f", folder)) == []
    keep(folder, MADE)
    told = ["recorded 2026-01-31T12:00:00Z by ci, in 1,234 ms, with wiretape 0.1.0", "for OpenAI/Python 3.52.0"]
    assert head(wiretape("show", "e99f", folder)) == told
    # Of a file too that is named by its path.
    assert head(wiretape("show", folder / "default" / "responses" / CHAT.name, folder)) == told


def test_show_tells_what_is_known_of_who_had_it_recorded(folder: Path) -> None:
    keep(folder, Origin("", "2026-01-31T12:00:00Z", "", "0.1.0", 3.0))
    assert head(wiretape("show", "e99f", folder)) == ["recorded 2026-01-31T12:00:00Z, in 3 ms, with wiretape 0.1.0"]
    keep(folder, None)
    assert head(wiretape("show", "e99f", folder)) == []
    (folder / "default" / "wire" / CHAT.name).write_text("{}")
    (line,) = head(wiretape("show", "e99f", folder))
    assert line.startswith("who recorded it cannot be told: not a capture")


def test_show_tells_that_somebody_has_changed_it_since(folder: Path) -> None:
    keep(folder, MADE)
    path = folder / "default" / "responses" / CHAT.name
    path.write_text(path.read_text().replace("Hello!", "Howdy!"))
    assert head(wiretape("show", "e99f", folder))[-1] == "changed since"


# -- a session, a bucket -----------------------------------------------------------------------------------------------


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WIRETAPE_")]:
        monkeypatch.delenv(name)


@pytest.fixture(params=["directory", "moto", "rclone"])
def team(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _environment: None
) -> Iterator[tuple[str, Store]]:
    """Two sessions, below a directory and in buckets: main has all, checkout has one with its capture."""
    store: Store
    if request.param == "directory":
        where, store = str(tmp_path / "team"), DirectoryStore(tmp_path / "team")
    else:
        server: s3.S3Server = request.getfixturevalue(request.param)
        for key, value in server.env.items():
            monkeypatch.setenv(key, value)
        prefix = f"looking-{uuid4().hex}"
        where, store = f"s3://{s3.BUCKET}/{prefix}", s3.store(prefix)
    for path in RESPONSES.iterdir():
        store.write("main", path.stem, path.read_bytes(), replace=False)
    store.write("checkout", CHAT.stem, CHAT.read_bytes(), replace=False)
    kept = Capture(digest(CHAT.read_bytes()), 200, (), (b"data: [DONE]\n\n",), (1.0,), MADE)
    store.write("checkout", CHAT.stem, dumps(kept), replace=False, folder=WIRE)
    yield where, store
    store.close()


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [*map(str, args)], prog_name="wiretape")


def test_verify_looks_at_all_sessions_or_one(team: tuple[str, Store]) -> None:
    where, store = team
    result = run("verify", where)
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{where}: 5 2025-09, 1 capture; 0 faults" in result.stderr
    store.write("main", "broken", b"{}", replace=False)
    assert run("verify", where, "--session", "checkout").exit_code == 0
    result = run("verify", where, "--session", "main")
    assert (result.exit_code, result.stdout) == (1, f"{store.where('main', 'broken')}: no request\n")


def test_verify_finds_a_secret_in_a_capture(team: tuple[str, Store]) -> None:
    where, store = team
    secret = b"sk-" + b"a1B2" * 10
    store.write("main", CHAT.stem, dumps(Capture("sha256:0", 200, (), (secret,), (1.0,))), replace=True, folder=WIRE)
    result = run("verify", where)
    assert result.stdout == f"{store.where('main', CHAT.stem, WIRE)}: a secret is in it\n"
    assert result.exit_code == 1


def test_ls_lists_all_sessions_or_one(team: tuple[str, Store]) -> None:
    where, _ = team
    rows = [line.split()[0] for line in run("ls", where).stdout.splitlines()[1:]]
    assert rows == [
        f"checkout/{CHAT.stem}",
        *sorted(f"main/{path.stem}" for path in RESPONSES.iterdir()),
    ]
    rows = [line.split()[0] for line in run("ls", where, "--session", "checkout").stdout.splitlines()[1:]]
    assert rows == [f"checkout/{CHAT.stem}"]


def test_show_finds_it_in_every_session(team: tuple[str, Store]) -> None:
    where, store = team
    result = run("show", CHAT.stem[:4], where)
    assert result.exit_code == 0
    assert [line for line in result.stdout.splitlines() if line.startswith(where)] == [
        store.where("checkout", CHAT.stem),
        store.where("main", CHAT.stem),
    ]
    assert result.stdout.count("  recorded 2026-01-31T12:00:00Z by ci") == 1
    assert run("show", OTHER.stem, where, "--session", "checkout").exit_code == 1


def test_convert_writes_where_it_reads(team: tuple[str, Store]) -> None:
    where, store = team
    assert run("convert", "--to", "2026", where, "--session", "checkout").exit_code == 0
    store.refresh("checkout")
    (name,) = store.scan("checkout")
    assert len(name) == 64
    assert len(store.scan("main")) == 4
    assert store.read("checkout", CHAT.stem, WIRE) is None
    data, kept = store.read("checkout", name), store.read("checkout", name, WIRE)
    assert data
    assert kept
    assert loads(kept).recording == digest(data)
    assert loads(kept).origin == MADE
    assert run("verify", where).exit_code == 0


def test_convert_writes_into_a_folder(team: tuple[str, Store], tmp_path: Path) -> None:
    where, store = team
    assert run("convert", "--to", "2025-09", "--output", tmp_path / "new", where).exit_code == 0
    assert (tmp_path / "new" / "main" / "responses" / OTHER.name).read_bytes() == OTHER.read_bytes()
    made = DirectoryStore(tmp_path / "new")
    assert made.read("checkout", CHAT.stem, WIRE) == store.read("checkout", CHAT.stem, WIRE)
    assert len([*(tmp_path / "new").rglob("*.json")]) == 6
    result = run("convert", "--to", "2026", "--output", "s3://bucket/other", where)
    assert result.exit_code == 2
    assert "--output" in result.stderr


@pytest.mark.parametrize("command", [("ls",), ("verify",), ("show", "e99f"), ("convert", "--to", "2026")])
def test_a_session_that_is_not_there_is_said_so(team: tuple[str, Store], command: tuple[str, ...]) -> None:
    where, _ = team
    for name in ("nobody", "No Session", "../main"):
        result = run(*command, where, "--session", name)
        assert (result.exit_code, result.stdout) == (2, "")
        assert name in result.stderr


@pytest.mark.parametrize("command", [("ls",), ("verify",), ("show", "e99f"), ("convert", "--to", "2026")])
@pytest.mark.usefixtures("_environment")
def test_where_nothing_can_be_looked_at_it_is_said_so(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto: s3.S3Server
) -> None:
    for key, value in moto.env.items():
        monkeypatch.setenv(key, value)
    wrong = {
        str(tmp_path / "nowhere"): "there is no such directory",
        str(CHAT): "there is no such directory",
        "ftp://host/path": "is no store",
        "s3://user:secret@bucket/x": "credentials in the environment",
        "s3://no-such-bucket/x": "NoSuchBucket",
    }
    for where, why in wrong.items():
        result = run(*command, where)
        assert (result.exit_code, result.stdout) == (2, ""), result.output
        assert why in result.stderr
        assert "secret" not in result.stderr


@pytest.mark.parametrize("command", [("ls",), ("verify",), ("show", "e99f"), ("convert", "--to", "2026")])
@pytest.mark.usefixtures("_environment")
def test_a_bucket_that_is_away_is_said_so(command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    with s3.S3Server("rclone") as server:
        for key, value in server.env.items():
            monkeypatch.setenv(key, value)
        server.kill()
        result = run(*command, f"s3://{s3.BUCKET}/x")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "the bucket does not answer" in result.stderr
        server.start()


def test_the_environment_names_a_bucket(team: tuple[str, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    where, _ = team
    monkeypatch.setenv("WIRETAPE_RECORDINGS", where)
    assert f"checkout/{CHAT.stem}" in run("ls").stdout


def test_what_goes_over_no_http_is_kept_and_no_fault(folder: Path) -> None:
    tool = {"test_id": "t", "provider": "tavily", "tool_name": "web_search", "kwargs": {"query": "q"}}
    content = {"test_id": "t", "request": tool, "response": {"body": {"content": "x"}, "is_streaming": False}}
    path = folder / "default" / "responses" / f"{'a' * 64}.json"
    path.write_text(json.dumps(content, indent=2))
    for command in (["verify"], ["ls"], ["redact"], ["redact", "--apply"], ["convert", "--to", "2026"]):
        result = run(*command, folder)
        assert result.exit_code == 0, (command, result.output)
    assert "1 of no HTTP exchange, kept and not served" in run("verify", folder).stderr
    promoted = run("session", "promote", "default", "--into", "other", "--yes", "--recordings", folder)
    assert promoted.exit_code == 0, promoted.output
    assert len([*(folder / "other" / "responses").iterdir()]) == 4
    key = "sk-" + "a1b2" * 10
    path.write_text(json.dumps(content | {"response": {"body": {"content": key}, "is_streaming": False}}))
    for looking in ("verify", "redact"):
        result = run(looking, folder)
        assert result.exit_code == 1, result.output
        assert key not in result.output
