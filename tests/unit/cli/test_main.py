"""What the command imports: whoever asks for help, or looks at recordings, does not wait for what they do not need."""

import subprocess
import sys

import pytest

from places import ROOT, SHIPPED

PROGRAM = """
import sys
from wiretape.cli.main import main
sys.argv[0] = "wiretape"
try:
    main()
except SystemExit as done:
    print(*sys.modules, file=sys.stderr)
    sys.exit(done.code)
"""
HEAVY = {"mitmproxy", "obstore", "cryptography", "rich.console", "wiretape.proxy", "prometheus_client"}


def modules_of(*arguments: str) -> set[str]:
    """Run the command in a process of its own, and return the modules that it has imported."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--help"], ["ls", "--help"], ["--version"]], ids=" ".join)
def test_help_imports_nothing_but_commands_and_flags(arguments: list[str]) -> None:
    loaded = modules_of(*arguments)
    assert HEAVY.isdisjoint(loaded)
    assert {"wiretape.library", "wiretape.matching", "wiretape.providers"}.isdisjoint(loaded)


@pytest.mark.parametrize("arguments", [["ls"], ["verify"], ["show", "e99f"]], ids=lambda each: each[0])
def test_commands_that_look_at_recordings_start_without_a_proxy(arguments: list[str]) -> None:
    loaded = modules_of(*arguments, str(SHIPPED))
    assert HEAVY.isdisjoint(loaded)
    # Log lines and crashes are looked through for secrets in every command.
    assert "wiretape.redaction.logs" in loaded
