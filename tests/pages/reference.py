"""The generated parts of ``docs/reference``: options, commands, providers and counters, as the code has them."""

import inspect
import re
import textwrap
import tomllib
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import click
from typer.main import get_command

import wiretape
from pages import marks
from places import ROOT
from wiretape.cli.commands import app
from wiretape.control import openapi
from wiretape.control.openapi import Operation
from wiretape.control.refusal import CODES
from wiretape.control.schemas import SCHEMAS, Schema
from wiretape.metrics import prometheus

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # mitmproxy's, of pyparsing's new names.
    from mitmproxy.addonmanager import Loader

    from wiretape.proxy import options as proxy_options


REFERENCE = ROOT / "docs" / "reference"
INTERNAL = "wiretape_coordinator"
"""The option that ``wiretape serve`` sets for its workers: nobody else's business."""

FLAGS = {"wiretape_mode", "wiretape_session", "wiretape_recordings", "wiretape_match", "wiretape_offline"}
"""Options that have a flag of their own in ``wiretape run``."""

WITHOUT_VARIABLE = {"wiretape_control"}
"""Options whose names are those of variables that say something else."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '\\|') for cell in line)} |" for line in lines)


def prose(text: str) -> str:
    """Return a text of the code as Markdown: names and values of options are set as code."""
    text = " ".join(text.split()).replace("<", "&lt;").replace("*", "\\*").replace("``", "`")
    text = re.sub(r'"([^"\s]+)"', r"`\1`", text)
    return re.sub(r"(?<![\w`-])(--[a-z][a-z-]+|(?:wiretape|WIRETAPE)_\w+)", r"`\1`", text).replace("`\\*`", "`*`")


def paragraphs(text: str) -> str:
    """Return the paragraphs of a text of the code as Markdown, in lines that a diff can show."""
    found = (prose(each) for each in inspect.cleandoc(text).split("\n\n"))
    return "\n\n".join(textwrap.fill(each, 120, break_long_words=False, break_on_hyphens=False) for each in found)


# -- options -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Option:
    """An option of the addon, as it declares it."""

    name: str
    kind: Any
    default: Any
    told: str
    choices: Sequence[str] | None = None


def declared_options() -> list[Option]:
    """Return the addon's options, in the order in which it declares them."""
    options: list[Option] = []

    class Declaring:
        def add_option(self, *declared: Any, **more: Any) -> None:
            options.append(Option(*declared, **more))

    proxy_options.declare(cast(Loader, Declaring()))
    return [option for option in options if option.name != INTERNAL]


def _default(option: Option) -> str:
    if isinstance(option.default, bool):
        return f"`{str(option.default).lower()}`"
    return f"`{option.default}`" if option.default else ""


def _values(option: Option) -> str:
    if option.kind is bool:
        return "`true`, `false`"
    return ", ".join(f"`{choice}`" for choice in option.choices or ())


def _variable(option: Option) -> str:
    return "" if option.name in WITHOUT_VARIABLE else f"`{option.name.upper()}`"


def options() -> dict[str, str]:
    """Return the parts of the page of options."""
    declared = declared_options()
    rows = [(f"[`{option.name}`](#{option.name})", _default(option), _variable(option)) for option in declared]
    parts = {"table": table(("option", "default", "variable"), rows)}
    for option in declared:
        lines = [paragraphs(option.told), ""]
        if values := _values(option):
            lines.append(f"- Values: {values}")
        if default := _default(option):
            lines.append(f"- Default: {default}")
        flag = f", flag `--{option.name.removeprefix('wiretape_')}`" if option.name in FLAGS else ""
        if option.name not in WITHOUT_VARIABLE:
            lines.append(f"- Variable: `{option.name.upper()}`{flag}")
        parts[option.name] = "\n".join(lines)
    return parts


# -- commands ----------------------------------------------------------------------------------------------------------


def _argument(param: click.Parameter) -> str:
    name = str(param.metavar or param.human_readable_name)
    return name if param.required else f"[{name}]"


def _flag(param: click.Parameter) -> str:
    names = [*param.opts, *param.secondary_opts]
    value = f" {param.metavar}" if param.metavar else ""
    return ", ".join(f"`{name}{value}`" for name in names)


def _shown(value: Any) -> str:
    return f"`{value}`" if value not in (None, False, (), "") else ""


def _row(param: click.Parameter) -> tuple[str, str, str, str]:
    name = _flag(param) if param.param_type_name == "option" else f"`{_argument(param)}`"
    variable = f"`{param.envvar}`" if param.envvar else ""
    meaning = prose(getattr(param, "help", None) or "")
    needed = " Required." if param.required and param.param_type_name == "option" else ""
    return name, variable, _shown(param.default), meaning + needed


def _command(path: str, command: click.Command) -> str:
    arguments = [_argument(param) for param in command.params if param.param_type_name == "argument"]
    usage = " ".join([path, "[FLAGS]", *arguments])
    rows = [_row(param) for param in command.params]
    parts = [f"```text\n{usage}\n```", paragraphs(command.help or "")]
    if rows:
        parts.append(table(("flag", "variable", "default", "meaning"), rows))
    if command.epilog:
        parts.append(f"Example: `{command.epilog.removeprefix('Example: ')}`")
    return "\n\n".join(parts)


def _group(path: str, group: click.Group) -> str:
    parts = [_command(path, group) if group.invoke_without_command else paragraphs(group.help or "")]
    for name, command in group.commands.items():
        parts += [f"### {path} {name}", _command(f"{path} {name}", command)]
    return "\n\n".join(parts)


def commands() -> dict[str, str]:
    """Return the parts of the page of commands."""
    main = cast(click.Group, get_command(app))
    rows = [
        (f"[`wiretape {name}`](#wiretape-{name})", prose(command.short_help or ""))
        for name, command in main.commands.items()
    ]
    parts = {"commands": table(("command", "what it does"), rows)}
    for name, command in main.commands.items():
        write = _group if hasattr(command, "commands") else _command
        parts[name] = write(f"wiretape {name}", cast(Any, command))
    return parts


# -- providers ---------------------------------------------------------------------------------------------------------


def _codes(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)


def providers() -> dict[str, str]:
    """Return the parts of the page of providers."""
    text = (ROOT / "config" / "providers.toml").read_text("utf-8")
    known = tomllib.loads(text)
    rows = []
    for provider in known["provider"]:
        more = []
        if provider.get("scheme") == "http":
            more.append("plain HTTP")
        for key in ("hide", "skip", "ignore", "api_key"):
            if found := provider.get(key):
                more.append(f"{key} {_codes([found] if isinstance(found, str) else found)}")
        base = f"`{provider['base']}`" if provider.get("base") else ""
        sets = ", ".join(provider.get("endpoints", ()))
        rows.append((provider["name"], _codes(provider["hosts"]), base, sets, "; ".join(more)))
    endpoints = [
        (
            name,
            f"`{route}`",
            f"`{what['kind']}`",
            f"`{what['recorded']}`" if "recorded" in what else "",
            _codes(what.get("falls_back", ())),
        )
        for name, routes in known["endpoints"].items()
        for route, what in routes.items()
    ]
    both = [
        "## Hosts",
        table(("provider", "hosts", "base", "endpoints", "more"), rows),
        "## Endpoints",
        table(("set", "method and path below the base", "kind", "recorded as", "a WebSocket is refused to"), endpoints),
    ]
    return {"providers": "\n\n".join(both)}


# -- counters ----------------------------------------------------------------------------------------------------------


def counters() -> dict[str, str]:
    """Return the parts of the page of metrics."""
    rows = [(f"`{name}_total`", prose(told)) for name, told in prometheus.FAMILIES.values()]
    by_reason = "The same, with a label `reason`."
    place = 1 + next(i for i, (name, _) in enumerate(rows) if "unrecorded" in name)
    rows.insert(place, ("`wiretape_unrecorded_by_reason_total`", by_reason))
    place = 1 + next(i for i, (name, _) in enumerate(rows) if "hits_by_rules" in name)
    rows.insert(
        place, ("`wiretape_needed_rules_total`", "The same by the rules that were needed, with a label `rule`.")
    )
    return {"metrics": table(("counter", "what it counts"), rows)}


# -- the control API ---------------------------------------------------------------------------------------------------


def _kind(schema: Schema) -> str:
    """Return what a value is, in a word or two."""
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": [first, *_]}:
            return f"{_kind(first)} or null"
        case {"type": [kind, "null"]}:
            enum = [each for each in schema.get("enum", ()) if each is not None]
            words = {"type": kind, "enum": enum} if enum else {"type": kind}
            return f"{_kind({**schema, **words})} or null"
        case {"enum": list(values)}:
            return ", ".join(f"`{value}`" for value in values if value is not None)
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}"
        case {"type": "object", "additionalProperties": dict(each)} if each:
            return f"object, by name: {_kind(each)}"
        case {"format": "date-time"}:
            return "time (RFC 3339)"
        case {"type": kind}:
            return {"string": "text", "integer": "number", "boolean": "true or false"}.get(str(kind), str(kind))
    return "any JSON"


def _members(schema: Schema) -> str:
    needed = schema.get("required", ())
    rows = [
        (f"`{name}`", _kind(each) + ("" if name in needed else "; may be left out"), prose(each.get("description", "")))
        for name, each in schema["properties"].items()
    ]
    return table(("member", "value", "meaning"), rows) if rows else "An empty object."


def _operation(operation: Operation) -> str:
    parts = [operation.summary]
    if operation.text:
        parts.append(textwrap.fill(operation.text, 120, break_long_words=False, break_on_hyphens=False))
    if operation.parameters:
        rows = [(f"`{each.name}`", _kind(each.schema), prose(each.text)) for each in operation.parameters]
        parts.append(table(("parameter", "value", "meaning"), rows))
    if operation.body:
        parts.append(f"Body: [{operation.body}](#{operation.body.lower()}).")
    if "$ref" in operation.answer:
        kind = _kind(operation.answer)
        answer = f"{'an' if kind[1] in 'AEIO' else 'a'} {kind}"
        if operation.content_type == openapi.EVENTS:
            answer = f"events, of which each is {answer}"
        parts.append(f"Answer {operation.status}: {answer}.")
    else:
        parts += [f"Answer {operation.status}:", _members(operation.answer)]
    return "\n\n".join(parts)


def control() -> dict[str, str]:
    """Return the parts of the page of the control API: as its document has it."""
    names = [f"{each.method} {each.path}" for each in openapi.OPERATIONS]
    rows = [
        (f"[`{name}`](#{_anchor(name)})", each.summary) for name, each in zip(names, openapi.OPERATIONS, strict=True)
    ]
    sections = [f"## {name}\n\n{_operation(each)}" for name, each in zip(names, openapi.OPERATIONS, strict=True)]
    errors = [(f"`{status}`", prose(text)) for status, text in CODES.items()]
    values = [f"### {name}\n\n{_members(schema)}" for name, schema in SCHEMAS.items()]
    return {
        "operations": table(("request", "what it does"), rows),
        "errors": table(("status", "meaning"), errors),
        "details": "\n\n".join(sections),
        "values": "\n\n".join(values),
    }


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-")


# -- packages ----------------------------------------------------------------------------------------------------------

_PACKAGE = re.compile(r"^``(\w+)`` {2,}(.+)$", re.MULTILINE)


def packages() -> dict[str, str]:
    """Return the parts of the page of the architecture: the reading order of the packages."""
    rows = [(f"`{name}`", prose(what)) for name, what in _PACKAGE.findall(wiretape.__doc__ or "")]
    return {"packages": table(("package", "what it is about"), rows)}


PAGES: Mapping[Path, Callable[[], dict[str, str]]] = {
    REFERENCE / "options.md": options,
    REFERENCE / "cli.md": commands,
    REFERENCE / "providers.md": providers,
    REFERENCE / "metrics.md": counters,
    REFERENCE / "control-api.md": control,
    ROOT / "docs" / "contributing" / "architecture.md": packages,
}


def written(page: Path) -> str:
    """Return a page as it should be: its own words, and the parts that the code has."""
    return marks.filled(page.read_text("utf-8"), PAGES[page]())
