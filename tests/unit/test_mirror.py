"""The tests mirror the tree: each module has a file of its own here, in the same place, and each file its module."""

from collections.abc import Iterator
from pathlib import Path

from places import PACKAGE, SUPPORT, TESTS

UNIT = TESTS / "unit"

RUN_ELSEWHERE = {"cli/demo_app", "cli/hosted", "cli/isolation/enter", "cli/reuseport_worker"}
"""Programs of their own. What they do is seen in ``e2e``."""

IN_LARGER_TESTS = {
    "cli/demo",
    "cli/doctor/command",
    "cli/doctor/finding",
    "cli/doctor/machine",
    "cli/doctor/surroundings",
    "cli/embedded",
    "cli/export_html",
    "cli/freshness_commands",
    "cli/isolation/command",
    "cli/matching_commands",
    "cli/page_commands",
    "cli/rules_in_force",
    "cli/rules_suggest",
    "cli/serve_control",
    "cli/sessions",
    "cli/setup_commands",
    "cli/ui",
    "cli/variables/command",
    "control/backend",
    "control/refusal",
    "control/schemas",
    "proxy/compat/tcp_reset",
    "proxy/controlled",
    "proxy/live_answers",
    "proxy/threads",
    "pytest_plugin/scopes",
    "pytest_plugin/start",
    "web/misses",
    "web/source",
    "web/views",
}
"""Modules that join others together, or are a few values. What they do is tested where those are, and in ``e2e``."""

ACROSS = {
    "matching/test_agents",
    "matching/test_negative_proof",
    "providers/test_adding_an_endpoint",
    "providers/test_kept_errors",
    "providers/test_odd_json",
    "redaction/test_linear",
    "tape/test_bucket_lookups",
    "tape/test_moving_on",
    "tape/test_unreadable",
    "test_config_files",
    "test_docs",
    "test_imports",
    "test_isolation",
    "test_large_answers",
    "test_linear",
    "test_lines",
    "test_mirror",
    "test_public_api",
    "test_strangers",
    "test_wheel",
}
"""Tests of what several modules promise together."""


def modules() -> Iterator[str]:
    """Yield every module: those of the package, and those that the tests share."""
    for folder, below in ((PACKAGE, Path()), (SUPPORT, Path("support"))):
        for file in folder.rglob("*"):
            if file.suffix in (".py", ".cjs") and not file.stem.startswith("__"):
                yield (below / file.relative_to(folder).with_suffix("")).as_posix().replace("-", "_")


def packages() -> Iterator[str]:
    """Yield where the tests of a package as a whole may be: beside it, or among those of its modules."""
    for file in PACKAGE.rglob("*/__init__.py"):
        at = file.parent.relative_to(PACKAGE)
        yield (at / at.name).as_posix()
    yield from (f"support/{file.parent.name}" for file in SUPPORT.glob("*/__init__.py"))


def files_of_tests() -> Iterator[tuple[str, str]]:
    """Yield every file of tests, with the module that has its place."""
    for file in UNIT.rglob("test_*.py"):
        at = file.relative_to(UNIT).with_suffix("")
        yield at.as_posix(), at.with_name(at.name.removeprefix("test_")).as_posix()


def test_each_module_has_its_tests() -> None:
    tested = {module for _, module in files_of_tests()}
    wanted = {module for module in modules() if not module.startswith("support/")}
    assert sorted(wanted - tested - RUN_ELSEWHERE - IN_LARGER_TESTS) == []


def test_each_file_of_tests_has_its_module() -> None:
    there = {*modules(), *packages()}

    def is_of(module: str) -> bool:
        # Of a large module the tests may be in several files: test_tape_memory is of tape.
        return any(module == each or module.startswith(f"{each}_") for each in there)

    assert sorted(name for name, module in files_of_tests() if not is_of(module) and name not in ACROSS) == []


def test_no_exception_is_left_of_what_has_gone() -> None:
    left = (RUN_ELSEWHERE | IN_LARGER_TESTS) - {*modules()}
    left |= {name for name in ACROSS if not (UNIT / f"{name}.py").is_file()}
    assert sorted(left) == []
