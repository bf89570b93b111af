"""Values of which anybody may have written any: what is not of the kind that is looked for counts as empty. Sans-IO.

A recording is what somebody has written: any member may be of another type than the SDK's class declares.
"""

from collections.abc import Mapping
from typing import Any


def list_of(value: Any) -> list[Any]:
    """Return a list; of anything else an empty one."""
    return value if isinstance(value, list) else []


def object_of(value: Any) -> Mapping[str, Any]:
    """Return an object; of anything else an empty one."""
    return value if isinstance(value, dict) else {}
