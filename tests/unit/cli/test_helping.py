"""Help without Python's types."""

import typer
from typer.testing import CliRunner

from wiretape.cli.helping import command


def told() -> str:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @command(app, "Say it.", "saying say x")
    def say(what: str, times: int = typer.Option(1, help="How often.")) -> None:
        """Say it so many times."""

    @command(app, "Do not.", "saying leave")
    def leave() -> None:
        """Do nothing."""

    assert CliRunner().invoke(app, ["say", "x"]).exit_code == 0
    listed = CliRunner().invoke(app, ["--help"]).output
    return listed + CliRunner().invoke(app, ["say", "--help"]).output


def test_a_command_tells_what_it_does_and_how_it_is_called() -> None:
    text = told()
    assert "Say it." in text
    assert "Do not." in text
    assert "Say it so many times." in text
    assert "Example: saying say x" in text


def test_there_are_no_types_in_it() -> None:
    text = told()
    assert "--times" in text
    assert "<" not in text
    assert "INTEGER" not in text.upper()
