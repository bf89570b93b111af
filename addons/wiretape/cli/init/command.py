"""``wiretape init``: writes what is not there, adds lines that are missing, and changes nothing else.

A file that is there stays as it is: what would have been written is printed instead. Lines are added to the end of
``.gitattributes`` and ``.gitignore``, each once, with the line ends that the file has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wiretape.cli.console import out, out_text
from wiretape.cli.init import templates


@dataclass(frozen=True, slots=True)
class Planned:
    """A file that a folder is to have, and its text."""

    path: Path
    text: str


def init(folder: Path) -> int:
    """Write what a project needs into a folder, and tell it. Return the exit code. Raises OSError, ValueError."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such directory")
    tests = [*_tests(folder)]
    for planned in (Planned(folder / "wiretape.toml", templates.WIRETAPE_TOML), *tests):
        _write(planned)
    _add(folder / ".gitattributes", templates.ATTRIBUTES)
    _add(folder / ".gitignore", templates.IGNORED)
    _tell_next(folder, tests)
    return 0


def _tests(folder: Path) -> Iterator[Planned]:
    """Yield the first tests: for JavaScript where there is a package.json, for Python where there is not only that."""
    is_javascript = (folder / "package.json").exists()
    has_python = any((folder / name).exists() for name in ("pyproject.toml", "setup.py", "requirements.txt"))
    if has_python or not is_javascript:
        path = _folder_of_tests(folder, ("tests", "test")) / "test_wiretape.py"
        yield Planned(path, templates.PYTHON_TEST.format(path=path.relative_to(folder).as_posix()))
    if is_javascript:
        path = _folder_of_tests(folder, ("test", "tests")) / "wiretape.test.mjs"
        yield Planned(path, templates.JAVASCRIPT_TEST.format(path=path.relative_to(folder).as_posix()))


def _folder_of_tests(folder: Path, names: Sequence[str]) -> Path:
    """Return the first of these folders that is there, or the first that would be."""
    return next((folder / name for name in names if (folder / name).is_dir()), folder / names[0])


def _write(planned: Planned) -> None:
    """Write a file, unless there is anything of its name."""
    planned.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with planned.path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(planned.text)
    except FileExistsError:
        if _text(planned.path) == planned.text:
            out(f"{planned.path}: is there already, as it would be written")
            return
        out(f"{planned.path}: is there already, and stays as it is. This would have been written:")
        out_text("\n".join(f"    {line}".rstrip() for line in planned.text.splitlines()))
        return
    out(f"{planned.path}: written")


def _add(path: Path, lines: Sequence[str]) -> None:
    """Add the lines to a file that it does not have."""
    there = ""
    if path.is_symlink() or path.exists():
        if not path.is_file():
            raise ValueError(f"{path} is no file")
        there = _text(path)
    known = {line.strip() for line in there.splitlines()}
    missing = [line for line in lines if line not in known]
    # A comment alone says nothing.
    if all(line.startswith("#") for line in missing):
        out(f"{path}: has all lines already")
        return
    end = "\n"
    if "\r\n" in there:
        end = "\r\n"
    before = ""
    if there and not there.endswith("\n"):
        before = end
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(before + "".join(f"{line}{end}" for line in missing))
    for line in missing:
        if not line.startswith("#"):
            out(f"{path}: has one line more: {line}")


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def _tell_next(folder: Path, tests: Sequence[Planned]) -> None:
    out("")
    out("Then:")
    out("  export WIRETAPE_CONFIG=wiretape.toml    # what is in the file holds where it is named")
    for planned in tests:
        path = planned.path.relative_to(folder).as_posix()
        if planned.path.suffix == ".py":
            out(f"  pytest --wiretape=record-if-missing {path}    # once, with your key; then --wiretape=replay")
        else:
            out(f"  wiretape run -- node --test {path}    # once, with your key; then wiretape run --mode replay")
    out("  wiretape doctor    # looks whether all is set up right")
