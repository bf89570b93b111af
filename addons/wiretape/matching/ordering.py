"""Lists whose order does not count, sorted: tools, results of calls that were made at once. Below ``reduction``.

Tools are sorted by their names, wherever an endpoint has them. Results that follow each other are put into the order of
their calls, which is the model's own: where each names its call, and the request has that call.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from wiretape.matching import marks
from wiretape.matching.rules import Unordered
from wiretape.recording import JSON


class Sorted(NamedTuple):
    """A body in which lists are sorted."""

    body: JSON
    """The same object where they were."""
    orders: tuple[JSON, ...]
    """The order that each list had which is another one now."""


def sorted_lists(body: JSON, unordered: Unordered) -> Sorted:
    """Return a body with such lists in one order."""
    orders: list[JSON] = []
    made = body
    if isinstance(body, dict):
        sort = _with_tools if unordered is Unordered.TOOLS else _with_results
        made = sort(body, orders)
        if isinstance(body.get("request"), dict):  # As Gemini is asked by Code Assist
            made = _with(made, "request", sort(body["request"], orders))
    return Sorted(made, tuple(orders))


def _with(body: dict[str, Any], name: str, value: JSON) -> dict[str, Any]:
    return body if body.get(name) is value else {**body, name: value}


# -- tools -------------------------------------------------------------------------------------------------------------

_DECLARATIONS = ("functionDeclarations", "function_declarations")


def _with_tools(body: dict[str, Any], orders: list[JSON]) -> dict[str, Any]:
    for name in ("tools", "functions"):
        body = _with(body, name, _tools(body.get(name), orders))
    configuration = body.get("toolConfig")  # Bedrock's
    if isinstance(configuration, dict):
        tools = _tools(configuration.get("tools"), orders)
        body = _with(body, "toolConfig", _with(configuration, "tools", tools))
    return body


def _tools(tools: JSON, orders: list[JSON]) -> JSON:
    if not isinstance(tools, list):
        return tools
    inner = [_with_declarations(tool, orders) for tool in tools]
    if all(one is two for one, two in zip(inner, tools, strict=True)):
        inner = tools
    return _in_order(inner, _tool_name, orders)


def _with_declarations(tool: JSON, orders: list[JSON]) -> JSON:
    """Return a tool of Gemini's, which has all functions, with these sorted."""
    if isinstance(tool, dict):
        for name in _DECLARATIONS:
            if isinstance(tool.get(name), list):
                tool = _with(tool, name, _in_order(tool[name], _tool_name, orders))
    return tool


def _tool_name(tool: JSON) -> str:
    if not isinstance(tool, dict):
        return ""
    kind = tool.get("type")
    inner = tool.get(kind) if isinstance(kind, str) else tool.get("toolSpec")
    for each in (tool, inner):
        if isinstance(each, dict):
            for member in ("name", "server_label"):
                if isinstance(each.get(member), str):
                    return str(each[member])
    return ""


def _in_order(tools: list[JSON], name: Callable[[JSON], str], orders: list[JSON]) -> list[JSON]:
    """Return tools by their names; those of one name, or without one, in one order, too."""
    named = [(name(tool), tool) for tool in tools]
    names = [each for each, _ in named]
    if names == sorted(set(names)):
        return tools
    made = [tool for _, tool in sorted(named, key=lambda each: (each[0], marks.dumps(each[1])))]
    if all(one is two for one, two in zip(made, tools, strict=True)):
        return tools
    orders.append(names)
    return made


# -- results of calls --------------------------------------------------------------------------------------------------


class _Form(NamedTuple):
    """How an endpoint tells of calls and of their results, in the items of one list."""

    call: Callable[[dict[str, Any]], Sequence[JSON]]
    """Item -> the ids of the calls that it has."""
    result: Callable[[dict[str, Any]], JSON]
    """Item -> the id of the call whose result it is; None for another item."""


def _chat_calls(message: dict[str, Any]) -> Sequence[JSON]:
    calls = message.get("tool_calls")
    return [call.get("id") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else ()


def _chat_result(message: dict[str, Any]) -> JSON:
    return message.get("tool_call_id") if message.get("role") == "tool" else None


def _is_output(item: dict[str, Any]) -> bool:
    return str(item.get("type", "")).endswith("_output")


def _item_calls(item: dict[str, Any]) -> Sequence[JSON]:
    return () if _is_output(item) else (item.get("call_id"),)


def _item_result(item: dict[str, Any]) -> JSON:
    return item.get("call_id") if _is_output(item) else None


def _block_calls(block: dict[str, Any]) -> Sequence[JSON]:
    return (block.get("id"),) if block.get("type") == "tool_use" else ()


def _block_result(block: dict[str, Any]) -> JSON:
    return block.get("tool_use_id") if block.get("type") == "tool_result" else None


def _member_of(outer: str, inner: str) -> Callable[[dict[str, Any]], JSON]:
    def member(item: dict[str, Any]) -> JSON:
        there = item.get(outer)
        return there.get(inner) if isinstance(there, dict) else None

    return member


def _calls_of(outer: str, inner: str) -> Callable[[dict[str, Any]], Sequence[JSON]]:
    member = _member_of(outer, inner)
    return lambda item: (member(item),)


_CHAT = _Form(_chat_calls, _chat_result)
_RESPONSES = _Form(_item_calls, _item_result)
_ANTHROPIC = _Form(_block_calls, _block_result)
_BEDROCK = _Form(_calls_of("toolUse", "toolUseId"), _member_of("toolResult", "toolUseId"))
_GEMINI = _Form(_calls_of("functionCall", "id"), _member_of("functionResponse", "id"))

_FORMS = (
    # The list, the list in each of its items where the results are in that one, and how they are told there
    ("messages", "", _CHAT),
    ("input", "", _RESPONSES),
    ("messages", "content", _ANTHROPIC),
    ("messages", "content", _BEDROCK),
    ("contents", "parts", _GEMINI),
)


def _with_results(body: dict[str, Any], orders: list[JSON]) -> dict[str, Any]:
    for outer, inner, form in _FORMS:
        items = body.get(outer)
        if isinstance(items, list):
            body = _with(body, outer, _items_with_results(items, inner, form, orders))
    return body


def _items_with_results(items: list[JSON], inner: str, form: _Form, orders: list[JSON]) -> list[JSON]:
    lists = [items] if not inner else [each.get(inner) for each in items if isinstance(each, dict)]
    calls: dict[JSON, int] = {}
    for each in lists:
        for item in _objects(each):
            for id_ in form.call(item):
                if isinstance(id_, str):
                    calls.setdefault(id_, len(calls))
    if len(calls) < 2:
        return items
    if not inner:
        return _in_order_of_calls(items, form, calls, orders)
    made = []
    for item in items:
        there = item.get(inner) if isinstance(item, dict) else None
        if isinstance(there, list):
            made.append(_with(item, inner, _in_order_of_calls(there, form, calls, orders)))
        else:
            made.append(item)
    return items if all(one is two for one, two in zip(made, items, strict=True)) else made


def _objects(items: JSON) -> Iterator[dict[str, Any]]:
    return (each for each in items if isinstance(each, dict)) if isinstance(items, list) else iter(())


def _in_order_of_calls(items: list[JSON], form: _Form, calls: dict[JSON, int], orders: list[JSON]) -> list[JSON]:
    """Return a list in which results that follow each other are in the order of their calls."""
    made: list[JSON] = []
    run: list[tuple[int, JSON]] = []
    is_other = False
    for item in (*items, None):
        id_ = form.result(item) if isinstance(item, dict) else None
        if isinstance(id_, str) and id_ in calls:
            run.append((calls[id_], item))
            continue
        numbers = [number for number, _ in run]
        if numbers != sorted(numbers):
            is_other = True
            first = min(numbers)
            orders.append([number - first for number in numbers])
            run.sort(key=lambda each: each[0])
        made += [each for _, each in run]
        run = []
        made.append(item)
    return made[:-1] if is_other else items
