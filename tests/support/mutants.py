"""Small changes in a module, one at a time: which of them does no test notice?

    make mutants MODULE=codecs/sse
    .venv/bin/python tests/support/mutants.py codecs/sse [--tests tests/unit/codecs] [--limit 50] [--seed 1]

Each change is made in a copy of the package, and the module's own tests are run against that copy: by default the file
of the same place under ``tests/unit``. What is printed are the changes that all tests passed with. Some of them
change nothing that a caller sees; the others want a test.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from places import CONFIG, PACKAGE, ROOT, TESTS

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COUNTED: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv}

_LONGEST = 120
"""Seconds after which tests are ended: a change may make a loop that has no end, which is noticed too."""


@dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    line: int
    was: str
    now: str
    source: str


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in the place of a node: each is another value, and still a program."""
    match node:
        case ast.Compare(left=left, ops=[op], comparators=compared) if type(op) in _COMPARED:
            yield ast.Compare(left, [_COMPARED[type(op)]()], compared)
        case ast.BoolOp(op=ast.And(), values=values):
            yield ast.BoolOp(ast.Or(), values)
        case ast.BoolOp(op=ast.Or(), values=values):
            yield ast.BoolOp(ast.And(), values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _COUNTED:
            yield ast.BinOp(left, _COUNTED[type(op)](), right)
        case ast.Constant(value=bool() as is_so):
            yield ast.Constant(not is_so)
        case ast.Constant(value=int() as number):
            yield ast.Constant(number + 1)
        case ast.Return(value=ast.expr()):
            yield ast.Return(ast.Constant(None))
        case ast.Continue():
            yield ast.Break()


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old = old
        self._new = new

    def visit(self, node: ast.AST) -> ast.AST:
        return ast.copy_location(self._new, node) if node is self._old else self.generic_visit(node)


def mutants(source: str) -> Iterator[Mutant]:
    """Yield a module's text with each change by itself."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for other in changed(node):
            shown = ast.unparse(node)
            text = ast.unparse(ast.fix_missing_locations(_Replace(node, other).visit(copy_of(tree, node))))
            yield Mutant(getattr(node, "lineno", 0), shown, ast.unparse(other), text)


def copy_of(tree: ast.Module, kept: ast.AST) -> ast.Module:
    """Return the tree with copies of all nodes but one, which can be told by its identity."""
    return copy.deepcopy(tree, {id(kept): kept})


def copied(folder: Path) -> Path:
    """Copy the package, and beside it what it reads in a checkout, as they are there. Return where packages are."""
    packages = folder / PACKAGE.parent.relative_to(ROOT)
    shutil.copytree(PACKAGE, packages / PACKAGE.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(CONFIG, folder / CONFIG.relative_to(ROOT))
    return packages


def is_noticed(mutant: Mutant, module: str, tests: list[Path], packages: Path) -> bool:
    """Return whether the tests fail where the module is so."""
    (packages / PACKAGE.name / f"{module}.py").write_text(mutant.source, "utf-8")
    # The copy is found before the installed package; bytecode of the unchanged module is none of it.
    env = {**os.environ, "PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *map(str, tests)]
    try:
        ran = subprocess.run(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=_LONGEST
        )
    except subprocess.TimeoutExpired:
        return True
    return ran.returncode != 0


def main() -> None:
    """Change one module in every way, or in some drawn ones."""
    parser = argparse.ArgumentParser(prog="tests/support/mutants.py", description=__doc__)
    parser.add_argument("module", help="such as codecs/sse")
    parser.add_argument("--tests", type=Path, action="append", help="what is run; by default the module's own")
    parser.add_argument("--limit", type=int, default=0, help="try so many, drawn by --seed; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    module = chosen.module.removesuffix(".py")
    at = Path(module)
    tests = chosen.tests or [TESTS / "unit" / at.parent / f"test_{at.name}.py"]
    if missing := [str(each) for each in tests if not each.exists()]:
        sys.exit(f"there are no tests: {', '.join(missing)}")
    found = [*mutants((PACKAGE / f"{module}.py").read_text("utf-8"))]
    if chosen.limit:
        random.Random(chosen.seed).shuffle(found)
        found = found[: chosen.limit]
    with tempfile.TemporaryDirectory() as name:
        packages = copied(Path(name))
        unchanged = Mutant(0, "", "", (PACKAGE / f"{module}.py").read_text("utf-8"))
        if is_noticed(unchanged, module, tests, packages):
            sys.exit(f"the tests of {module} fail without a change")
        left = 0
        for each in found:
            if not is_noticed(each, module, tests, packages):
                left += 1
                print(f"{module}.py:{each.line}: {each.was}  ->  {each.now}", flush=True)
    print(f"{len(found) - left} of {len(found)} changes were noticed")


if __name__ == "__main__":
    main()
