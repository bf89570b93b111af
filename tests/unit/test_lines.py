"""How lines are written, where no linter looks: one statement does one thing."""

import ast
from collections.abc import Iterator

from imports import modules, tree
from places import PACKAGE


def nodes[Node: ast.expr | ast.stmt](kind: type[Node]) -> Iterator[tuple[str, Node]]:
    """Yield every node of a kind of every module, with where it stands."""
    for _, path in modules():
        name = path.relative_to(PACKAGE)
        for node in ast.walk(tree(path)):
            if isinstance(node, kind):
                yield f"{name}:{node.lineno}", node


def holds(node: ast.AST, kind: type[ast.AST]) -> bool:
    """Return whether there is another node of this kind within."""
    return any(isinstance(each, kind) for each in ast.walk(node) if each is not node)


def test_no_conditional_expression_is_within_another_and_none_binds_a_name() -> None:
    conditional = [*nodes(ast.IfExp)]
    assert [where for where, node in conditional if holds(node, ast.IfExp) or holds(node, ast.NamedExpr)] == []


def test_no_assignment_does_several_things() -> None:
    """Two values that change places, or begin alike, are one thing; two calls are two."""
    packed = [
        where
        for where, node in nodes(ast.Assign)
        if isinstance(node.value, ast.Tuple) and isinstance(node.targets[0], ast.Tuple)
        if holds(node.value, ast.Call)
    ]
    assert packed == []


def test_every_module_says_what_it_is() -> None:
    assert [name for name, path in modules() if not ast.get_docstring(tree(path))] == []
