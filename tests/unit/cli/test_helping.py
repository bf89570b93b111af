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


def given(*args: str) -> list[str]:
    """What a command gets that has an option of two words, and one that may stand alone."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    context = {"allow_interspersed_args": False}
    told: list[str] = []

    @command(app, "Say it.", "say x", bare={"--loud": "yes"}, followed={"--as": ("file",)}, context_settings=context)
    def say(
        words: list[str],
        loud: str = typer.Option("no"),
        forms: list[str] = typer.Option([], "--as"),  # noqa: B008
    ) -> None:
        told.extend([loud, *forms, *words])

    result = CliRunner().invoke(app, [*args])
    return told or [result.output.strip().splitlines()[-1]]


def test_an_option_may_be_followed_by_another_word_or_have_none() -> None:
    assert given("--as", "file", "a b.txt", "--as", "text", "--loud", "--", "x", "--as", "file") == [
        "yes",
        "file a b.txt",
        "text",
        "x",
        "--as",
        "file",
    ]
    assert given("--as", "file", "--", "x") == ["no", "file", "x"]
    assert given("--loud", "file", "x") == ["file", "x"]
    assert given("x", "--as", "file", "y") == ["no", "x", "--as", "file", "y"]
