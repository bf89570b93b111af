"""What the site needs beside its pages: the files of the repository that pages link to.

A page links to ``../../config/wiretape.toml`` as it stands in the repository, where that link works. MkDocs knows
nothing outside of ``docs/``. So each such file is copied into the site, below ``repository/``, and the link is turned
to the copy. A Markdown file becomes a page there, and its own links are followed in the same way.
"""

import os
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
COPIES = PurePosixPath("repository")
DOCS = PurePosixPath("docs")
LINK = re.compile(r"(\]\()([^)\s#]+)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _origin(uri: str) -> PurePosixPath:
    """Return the place in the repository of a file of the site."""
    path = PurePosixPath(uri)
    return path.relative_to(COPIES) if path.is_relative_to(COPIES) else DOCS / path


def _place(origin: PurePosixPath) -> PurePosixPath:
    """Return the place in the site of a file of the repository."""
    return origin.relative_to(DOCS) if origin.is_relative_to(DOCS) else COPIES / origin


def _linked(origin: PurePosixPath, target: str) -> PurePosixPath | None:
    """Return the file of the repository to which a link leads, or None for a link to elsewhere."""
    if ":" in target:
        return None
    return PurePosixPath(os.path.normpath(origin.parent / target))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files of the repository to which pages link, and those to which these link."""
    waiting = [_origin(file.src_uri) for file in files.documentation_pages()]
    seen = set(waiting)
    while waiting:
        origin = waiting.pop()
        text = FENCE.sub("", (ROOT / origin).read_text("utf-8"))
        for _, target in LINK.findall(text):
            linked = _linked(origin, target)
            if linked is None or linked in seen or linked.is_relative_to(DOCS) or not (ROOT / linked).is_file():
                continue
            seen.add(linked)
            path = str(_place(linked))
            files.append(
                File.generated(config, path, abs_src_path=str(ROOT / linked), inclusion=InclusionLevel.NOT_IN_NAV)
            )
            if linked.suffix == ".md":
                waiting.append(linked)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn a page's links to files of the repository to their copies in the site."""
    del config, files
    origin = _origin(page.file.src_uri)
    place = PurePosixPath(page.file.src_uri)

    def turned(match: re.Match[str]) -> str:
        linked = _linked(origin, match[2])
        if linked is None:
            return match[0]
        return match[1] + os.path.relpath(_place(linked), place.parent)

    # What stands in a block of code is no link.
    pieces = re.split(r"(^```.*?^```$)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(piece if piece.startswith("```") else LINK.sub(turned, piece) for piece in pieces)
