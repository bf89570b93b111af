"""multipart/form-data -> values. Part of reading a request; never writes one.

A file takes part by its content: its digest stands for it, so that a recording of a transcription holds no audio, and
the boundary, which the client draws anew each time, does not count. Source: RFC 7578.
"""

import hashlib
import re
from typing import Any

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
# What is once taken is not given back: there is one way alone to read a text.
_PARAMETER = re.compile(rb';\s*+(name|filename)="((?:[^"\\]++|\\.)*+)"', re.IGNORECASE)


def parse(body: bytes, content_type: str) -> dict[str, Any]:
    """Field name -> text, or for a file ``{"filename", "content_type", "size", "sha256"}``; a list where repeated.

    Raises ValueError where the body is not multipart/form-data with the boundary that ``content_type`` names.
    """
    match = _BOUNDARY.search(content_type)
    if not match:
        raise ValueError("the request's content type names no boundary")
    delimiter = b"--" + (match[1] or match[2]).encode("latin-1")
    sections = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        raise ValueError("the request's body is not multipart/form-data: it does not end with its boundary")
    fields: dict[str, list[Any]] = {}
    for section in sections[1:-1]:
        head, separator, content = section.partition(b"\r\n\r\n")
        name, value = _part(head, content)
        if not separator or name is None:
            raise ValueError("the request's body is not multipart/form-data: a part has no name")
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _part(head: bytes, content: bytes) -> tuple[str | None, Any]:
    name, filename, content_type = None, None, ""
    for line in head.split(b"\r\n"):
        field, _, value = line.partition(b":")
        match field.strip().lower():
            case b"content-disposition":
                for key, text in _PARAMETER.findall(value):
                    if key.lower() == b"name":
                        name = text.decode("utf-8", "replace")
                    else:
                        filename = text.decode("utf-8", "replace")
            case b"content-type":
                content_type = value.strip().decode("latin-1")
    if filename is None:
        return name, content.decode("utf-8", "replace")
    return name, {"filename": filename, "content_type": content_type, **digest(content)}


def digest(content: bytes) -> dict[str, Any]:
    """What stands for bytes in a recording: ``{"size", "sha256"}``."""
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
