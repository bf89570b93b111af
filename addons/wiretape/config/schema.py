"""The tables as JSON Schema, for editors that check and complete TOML by it: ``config/wiretape.schema.json``.

Run as a program (``python -m wiretape.config.schema``) it writes the file's text to standard output.
"""

import json

from wiretape.config.tables import WIRETAPE_TOML


def text() -> str:
    """Return the text of the file. Source: JSON Schema draft 7, the newest that editors of TOML know."""
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "wiretape.toml",
        "description": "A team's own configuration of wiretape: the file of the option wiretape_config.",
        **WIRETAPE_TOML.schema(),
    }
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    print(text(), end="")
