"""The examples for JavaScript, by Node's test runner and by Vitest: each test is a scope, which a miss fails."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from places import ROOT, SHIPPED, TESTS
from shell_user import User

EXAMPLES = ROOT / "docs" / "examples" / "node"
MODULES = TESTS / "node" / "node_modules"
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
RUNNERS = {
    "node": ["node", "--test", "--test-concurrency=1"],
    "vitest": ["node_modules/.bin/vitest", "run", "--reporter=tap-flat"],
}

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not on this machine")


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_call_without_a_recording_fails_its_own_test_though_the_program_swallows_it(
    runner: str, tmp_path: Path
) -> None:
    if runner == "vitest" and not (MODULES / "vitest").is_dir():
        pytest.skip("the npm package vitest is not there: npm install --no-package-lock in tests/node")
    home = tmp_path / "home"
    home.mkdir()
    user = User(home, tmp_path)
    shutil.copytree(EXAMPLES, user.folder, dirs_exist_ok=True)
    (user.folder / "node_modules").symlink_to(MODULES)
    for file in user.folder.glob("answer.*.mjs"):
        file.write_text(file.read_text("utf-8").replace("Hello, world!", "Hello, whirled!"), "utf-8")
    flags = ["--mode", "replay", "--isolate=no", "--recordings", str(SHIPPED)]
    result = user.wiretape("run", *flags, "--", "node", "wiretape.mjs", *RUNNERS[runner])
    told = ESCAPES.sub("", result.stdout).replace('\\"', '"')
    assert result.returncode == 1, told + result.stderr
    assert re.search(r"^not ok 1 - .*it greets", told, re.MULTILINE), told
    assert re.search(r"^ok 2 - .*it knows the capital", told, re.MULTILINE), told
    assert 'messages[0].content: "Hello, whirled!" here, "Hello, world!" in the recording' in told
    assert "1 hit, 1 miss" in result.stderr


def test_without_wiretape_the_tests_are_what_they_were(tmp_path: Path) -> None:
    program = "import { scopes } from './wiretape.mjs'; scopes({}); console.log('nothing was asked for')"
    env = {"PATH": os.environ["PATH"]}
    command = ["node", "--input-type=module", "-e", program]
    result = subprocess.run(command, cwd=EXAMPLES, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout == "nothing was asked for\n", result.stderr


def test_a_command_ends_as_it_does_and_has_a_name_at_the_proxy() -> None:
    told = "console.log(process.env.HTTPS_PROXY, process.env.http_proxy); process.exit(7)"
    env = {"PATH": os.environ["PATH"], "HTTPS_PROXY": "http://127.0.0.1:8", "http_proxy": "http://own@127.0.0.1:8"}
    command = ["node", "wiretape.mjs", "node", "-e", told]
    result = subprocess.run(command, cwd=EXAMPLES, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 7
    assert re.fullmatch(r"http://node-\d+@127\.0\.0\.1:8 http://own@127\.0\.0\.1:8\n", result.stdout)
