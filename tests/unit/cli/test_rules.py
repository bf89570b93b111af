"""``wiretape rules``, as a user calls it."""

from typer.testing import CliRunner, Result

from wiretape.cli.commands import app


def wiretape(*args: object) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, args)], prog_name="wiretape")


def test_it_needs_no_command() -> None:
    assert wiretape().exit_code == 0
