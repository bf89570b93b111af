"""``python -m wiretape``: the command, where its script is not on the path."""

from wiretape.cli.main import main

main()
