"""The wheel: built from a tree in which somebody works, installed where nothing else of ours is, and used."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from places import ROOT
from samples import SAMPLES

UV = Path(sys.executable).with_name("uv")
OFFLINE = re.compile(r"failed to fetch|error sending request|dns error|could not connect", re.IGNORECASE)

pytestmark = pytest.mark.skipif(not UV.exists(), reason="uv is not in this environment")


def uv(*args: str, cwd: Path) -> None:
    done = subprocess.run([str(UV), *args], cwd=cwd, capture_output=True, text=True, check=False, timeout=110)
    if done.returncode and OFFLINE.search(done.stderr):
        pytest.skip("packages cannot be fetched here")
    assert done.returncode == 0, done.stderr


def _python_313() -> str | None:
    # Where this one is beside others, as pyenv has them; what pyenv has on the path may stand for none of them.
    beside = sorted(Path(sys.base_prefix).parent.glob("3.13*/bin/python3.13"))
    for python in filter(None, [*map(str, beside), shutil.which("python3.13")]):
        if not subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode:
            return python
    return None


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which somebody has recorded, and left things."""
    tree = tmp_path_factory.mktemp("clone") / "wiretape"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if name.startswith("tests/") or not (ROOT / name).is_file():
            continue
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    own = "recordings/default/responses/0123456789ab.json", "recordings/default/wire/e99f14805360.json"
    left = "recordings/mine/responses/0123456789ab.json", "wiretape-tokens.toml", "addons/wiretape/__pycache__/x.pyc"
    for name in (*own, *left):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("a secret of whoever works here")
    return tree


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    """Made from the source distribution, so that this has been made too."""
    uv("build", "--quiet", "--out-dir", str(tree / "dist"), cwd=tree)
    (made,) = (tree / "dist").glob("*.whl")
    return made


def test_it_holds_the_samples_and_nothing_that_was_recorded_beside_them(tree: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        assert not any(b"a secret of whoever works here" in files.read(name) for name in names)
        for path in SAMPLES.values():
            assert files.read(f"wiretape/samples/default/responses/{path.name}") == path.read_bytes()
    assert sum("samples/" in name for name in names) == len(SAMPLES) == 4
    data = {"wiretape/presets.toml", "wiretape/providers.toml", "wiretape/cli/node-proxy.cjs"}
    assert {"wiretape_addon.py", *data} <= {*names}
    (source,) = (tree / "dist").glob("*.tar.gz")
    listed = subprocess.run(["tar", "-tzf", str(source)], capture_output=True, text=True, check=True).stdout
    assert "0123456789ab" not in listed
    assert "/wire/" not in listed
    assert listed.count("/recordings/default/responses/") == 4


class Installed:
    """A fresh environment with the wheel in it, and a user who has nothing else."""

    def __init__(self, folder: Path, python: str, wheel: Path, extras: str) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self.home = folder / "home"
        self.home.mkdir()
        uv("venv", "--quiet", "--python", python, str(folder / "venv"), cwd=folder)
        self.bin = folder / "venv" / "bin"
        uv("pip", "install", "--quiet", "--python", str(self.bin / "python"), f"{wheel}{extras}", cwd=folder)
        self.env = {"PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(self.home), "TMPDIR": str(folder)}

    def wiretape(self, *args: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / "wiretape"), *args],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=110,
        )

    def uses_itself(self) -> None:
        """The addon and its script are those of the wheel; a command is run behind it."""
        script = Path(self.wiretape("addon").stdout.strip())
        assert script.is_relative_to(self.bin.parent)
        assert script.is_file()
        samples = script.parent / "wiretape" / "samples"
        code = "import os; print(sorted(n for n in os.environ if n == 'HTTPS_PROXY'))"
        ran = self.wiretape("run", "--mode", "replay", "--recordings", str(samples), "--", "python", "-c", code)
        assert (ran.returncode, ran.stdout) == (5, "['HTTPS_PROXY']\n"), ran.stderr
        assert "wiretape: replay, session default: nothing went" in ran.stderr, ran.stderr


@pytest.fixture
def installed(tmp_path: Path, wheel: Path) -> Installed:
    return Installed(tmp_path, sys.executable, wheel, "[demo,team]")


def test_all_of_it_runs_with_the_sources_out_of_reach(installed: Installed) -> None:
    installed.uses_itself()
    shown = installed.wiretape("demo")
    assert shown.returncode == 0, shown.stderr
    assert "4 hits, 1 miss" in shown.stdout
    options = ["--workers", "1", "--balance", "reuseport", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]
    with subprocess.Popen(
        [str(installed.bin / "wiretape"), "serve", "--mode", "replay", *options],
        cwd=installed.folder,
        env=installed.env,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        late = threading.Timer(100, process.kill)
        late.start()
        said = ""
        for line in process.stderr:
            said += line
            if "serving at 127.0.0.1:" in line:
                break
        process.send_signal(signal.SIGTERM)
        said += process.stderr.read()
        assert process.wait() == 0, said
        late.cancel()
        assert "serving at 127.0.0.1:" in said


def test_the_next_python_runs_it_too(tmp_path: Path, wheel: Path) -> None:
    if sys.version_info >= (3, 13) or not (python := _python_313()):
        pytest.skip("there is no Python 3.13 on this machine beside this one")
    Installed(tmp_path, python, wheel, "").uses_itself()
