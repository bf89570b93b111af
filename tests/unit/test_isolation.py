"""What lies in the folder that a command is run in is data: no process of ours runs a line of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mitmproxy import exceptions
from mitmproxy.options import Options

from loopback import Provider
from talk import whole
from wiretape.cli.serve import _mitmdump
from wiretape.cluster.balancer import Balance, has_reuseport
from wiretape.cluster.parent_death import leashed
from wiretape.proxy import configure, options

NAMES = ["random", "logging", "json", "typing", "sitecustomize", "usercustomize", "wiretape", "mitmproxy", "queue"]
NAMES += ["asyncio", "socket", "ssl", "tomllib", "typer", "rich", "openai", "httptools", "wiretape_addon", "worker"]
NAMES += [
    "re",
    "re2",
    "orjson",
    "cryptography",
    "hashlib",
    "base64",
    "tempfile",
    "zlib",
    "brotli",
    "obstore",
    "encodings",
]
WIRETAPE = Path(sys.executable).parent / "wiretape"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A stranger's checkout, full of modules that tell when they are run, and packages too."""
    for name in NAMES:
        tell = f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r} + '\\n')\nraise RuntimeError({name!r})\n"
        (tmp_path / f"{name}.py").write_text(tell)
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(tell)
    (tmp_path / ".env").write_text("WIRETAPE_CONFIG=hostile.toml\nWIRETAPE_TOKENS=/etc/passwd\n")
    return tmp_path


def run(checkout: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("WIRETAPE_", "PYTHON"))}
    done = subprocess.run(
        command, cwd=checkout, env=env | environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert not (checkout / "ran").exists(), (checkout / "ran").read_text()
    return done


def test_wiretape_run_runs_nothing_of_it_and_the_command_as_it_is(checkout: Path, tmp_path: Path) -> None:
    program = "import os, sys; print(os.environ['PYTHONPATH'], os.environ.get('WIRETAPE_CONFIG'), sys.flags.safe_path)"
    confdir = f"confdir={tmp_path / 'conf'}"
    command = [
        "run",
        "--mode",
        "replay",
        "--no-fail-on-silence",
        "--set",
        confdir,
        "--",
        sys.executable,
        "-I",
        "-c",
        program,
    ]
    # The command's own path of modules is its own affair, and reaches it unchanged.
    done = run(checkout, str(WIRETAPE), *command, PYTHONPATH="/nowhere:/else where")
    assert (done.returncode, done.stdout) == (0, "/nowhere:/else where None True\n"), done.stderr
    assert sorted(each.name for each in checkout.iterdir() if each.name not in NAMES) == sorted(
        [".env", "conf", *(f"{name}.py" for name in NAMES)]
    )


NAMED_BY_USER = """
import sys, urllib.request
asked = urllib.request.Request(sys.argv[1], b'{"model": "m", "messages": []}', {"content-type": "application/json"})
print(urllib.request.urlopen(asked).read().decode())
"""


def test_nor_does_the_process_that_writes(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    state = tmp_path_factory.mktemp("state")
    with Provider(tls=False) as origin:
        origin.on("*", whole("m", "hello"))
        at = f"127.0.0.1:{origin.port}"
        config = (
            f'[[provider]]\nname = "mine"\nscheme = "http"\nhosts = ["{at}"]\nbase = "/v1"\nendpoints = ["openai"]\n'
        )
        (checkout / "wiretape.toml").write_text(config)
        options = [f"confdir={state}", "wiretape_config=wiretape.toml"]
        settings = [each for option in options for each in ("--set", option)]
        program = [sys.executable, "-I", "-c", NAMED_BY_USER, f"http://{at}/v1/chat/completions"]
        command = ["run", "--mode", "record", *settings, "--", *program]
        done = run(checkout, str(WIRETAPE), *command, XDG_STATE_HOME=str(state), NO_PROXY="", no_proxy="")
    assert "1 recording made" in done.stderr
    assert len([*(checkout / "recordings/default/responses").iterdir()]) == 1
    for left in (["recover"], ["verify"], ["ls"], ["redact"]):
        done = run(checkout, str(WIRETAPE), *left, XDG_STATE_HOME=str(state))
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("balance", [Balance.HAPROXY, Balance.REUSEPORT])
def test_a_worker_of_serve_runs_nothing_of_it(balance: Balance, checkout: Path) -> None:
    done = run(checkout, *_mitmdump(balance), "--version")
    assert done.stdout.startswith("Mitmproxy: "), done.stderr


@pytest.mark.skipif(not has_reuseport(), reason="the worker of that balance is for Linux")
def test_the_leash_runs_nothing_of_it(checkout: Path) -> None:
    assert run(checkout, *leashed(15, ["true"])).returncode in (0, 1)


def test_the_demo_runs_nothing_of_it(checkout: Path) -> None:
    done = run(checkout, str(WIRETAPE), "demo")
    assert done.returncode == 0, done.stderr
    assert "4 hits" in done.stdout


# -- a configuration of a stranger's -----------------------------------------------------------------------------------

HOSTILE = {
    "a command": ("[session.default]\ncommand = 'id'\n", "unknown key command"),
    "a path": ("[session.default]\nrecordings = '/etc'\n", "unknown key recordings"),
    "a session elsewhere": ("[session.'../../etc']\n", "no session name"),
    "a layer elsewhere": ("[session.default]\nlayers = ['../..']\n", "no session name"),
    "a provider's script": ("[[provider]]\nhosts = ['x']\nendpoints = ['openai']\nscript = 'x.py'\n", "script"),
    "a table of its own": ("[command]\nrun = 'id'\n", "unknown table command"),
    "a value of its own": ("wiretape_tokens = '/etc/passwd'\n", "an option is given as --set wiretape_tokens="),
    "a fault's file": ("[[fault]]\nfile = '/etc/passwd'\n", "file"),
    "a tunnel's program": ("[tunnels]\nprogram = 'nc'\n", "unknown key program"),
    "all hosts allowed": ("[tunnels]\nallow = ['*']\n", "is none"),
    "depth": ("x = " + "[" * 100_000, "nested too deeply"),
    "size": ("#" * 2_000_000, "is longer than"),
    "bytes": ("\udcff", "cannot read"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_configuration_is_refused_by_what_is_wrong_in_it(name: str, tmp_path: Path) -> None:
    text, says = HOSTILE[name]
    config = tmp_path / "wiretape.toml"
    config.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert says in refused(config)


@pytest.mark.parametrize("kind", ["fifo", "device", "folder"])
def test_a_configuration_that_is_no_file_is_refused_at_once(kind: str, tmp_path: Path) -> None:
    config = tmp_path / "wiretape.toml"
    if kind == "fifo":
        os.mkfifo(config)
    elif kind == "device":
        config.symlink_to("/dev/zero")
    else:
        config.mkdir()
    assert "wiretape.toml" in refused(config)


def refused(config: Path) -> str:
    """How a proxy refuses to start with it."""
    found = Options()
    for each in options.OPTIONS:
        found.add_option(each.name, each.type, each.default, each.help)
    found.update(wiretape_config=str(config))
    try:
        configure.build(found, {"wiretape_config"})
    except exceptions.OptionsError as e:
        return str(e)
    raise AssertionError(f"{config} was taken")
