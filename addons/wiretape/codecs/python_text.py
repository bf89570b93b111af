"""JSON values as Python writes them: what SDKs put into the messages of their errors."""

import ast
from typing import Any


def value(text: str) -> Any:
    """Return the JSON value that Python writes so, be it ``nan`` or ``inf``. Raises ValueError for any other text."""
    try:
        tree = ast.parse(text.lstrip(" \t"), mode="eval")
        if "nan" in text or "inf" in text:
            tree = _NonFiniteNames().visit(tree)
        return ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as e:
        raise ValueError(str(e)) from e


class _NonFiniteNames(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id not in ("nan", "inf"):
            return node
        return ast.Constant(float(node.id))
