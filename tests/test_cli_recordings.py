"""ls, show, verify and convert, as a user calls them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from samples import CHAT, RESPONSES
from wiretape.capture import Capture, digest, dumps, loads


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(RESPONSES, tmp_path / "recordings" / "default" / "responses")
    return tmp_path / "recordings"


def wiretape(*args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wiretape.cli", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


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
    assert rows[1].split() == [
        "default/responses/af6ca03dcbc3", "/v1/completions", "llama-3.3-70b", "52", "chunks", "50",
        "https://api.cerebras.ai/v1",
    ]  # fmt: skip


def test_show_tells_what_was_asked_and_answered(folder: Path) -> None:
    result = wiretape("show", "e99f", folder)
    assert result.returncode == 0
    assert '"content": "Hello, world!"' in result.stdout
    assert "answered:\nHello!" in result.stdout
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
