"""The programs themselves: Python, mitmproxy, the addon with its options, ``wiretape.toml``, the extras."""

import importlib.metadata
import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import mitmproxy.version

import wiretape
from wiretape import config
from wiretape.cli.doctor.finding import Finding, fault, ok, warning
from wiretape.cli.doctor.surroundings import Surroundings
from wiretape.codecs.units import counted
from wiretape.proxy.compat import supported
from wiretape.proxy.compat.supported import Feature
from wiretape.proxy.runtime import Runtime

_OLDEST = (3, 12)
_TRIED = "12.2."
"""How the versions of mitmproxy begin with which all of this is tried."""

_INSTALL_MITMPROXY = "install the one that is tried: pip install 'mitmproxy>=12.2,<12.3'"


def python() -> Iterator[Finding]:
    """Tell which Python runs this."""
    said = f"{platform.python_version()}, {sys.executable}; wiretape {wiretape.__version__}"
    if sys.version_info < _OLDEST:
        yield fault("python", said, "install Python 3.12 or newer")
    else:
        yield ok("python", said)


def proxy_program() -> Iterator[Finding]:
    """Tell whether each part of mitmproxy that we rely on is as we know it."""
    version = mitmproxy.version.VERSION
    unknown = {feature: supported.why_not(feature) for feature in Feature if supported.why_not(feature)}
    for feature, why in unknown.items():
        if feature in supported.NEEDED:
            yield fault("mitmproxy", f"{version}: {why}, so that no proxy starts: {feature.value}", _INSTALL_MITMPROXY)
        else:
            yield warning("mitmproxy", f"{version}: {why}: {feature.value}", _INSTALL_MITMPROXY)
    if unknown:
        return
    if version.startswith(_TRIED):
        yield ok("mitmproxy", f"{version}, known in every part that is used")
    else:
        yield warning("mitmproxy", f"{version} is not one of those that are tried", _INSTALL_MITMPROXY)


def options(here: Surroundings, runtime: Runtime | str) -> Iterator[Finding]:
    """Tell whether the addon would start with the options; ``runtime`` is what they come to, or what is wrong."""
    if isinstance(runtime, str):
        yield fault("options", runtime, "set it right in the WIRETAPE_ variables, in config.yaml or with --set")
        return
    default = runtime.access.default()
    said = f"the addon starts with them: mode {default.mode}, session {default.session.name}"
    names = sorted({each.partition("=")[0] for each in here.settings})
    if names:
        said += f"; set are {', '.join(names)}"
    yield ok("options", said)


def configuration(here: Surroundings) -> Iterator[Finding]:
    """Tell whether ``wiretape.toml`` says what can be, and whether one lies about that nothing reads."""
    chosen = here.option("wiretape_config")
    if not chosen:
        lying = here.working / "wiretape.toml"
        if lying.is_file():
            advice = "name it: export WIRETAPE_CONFIG=wiretape.toml, or --set wiretape_config=wiretape.toml"
            yield warning("wiretape.toml", f"{lying} is there, and nothing reads it", advice)
        else:
            yield ok("wiretape.toml", "none is named, and none is needed")
        return
    file = Path(chosen).expanduser()
    try:
        read = config.read(file)
        read.check()
    except (OSError, UnicodeDecodeError) as e:
        yield fault("wiretape.toml", f"{file} cannot be read: {e}", "name a file that is there in WIRETAPE_CONFIG")
    except ValueError as e:
        yield fault("wiretape.toml", str(e), "mend that line: docs/reference/config-file.md has all keys")
    else:
        yield ok("wiretape.toml", f"{file} is valid: {counted(len(read.tables), 'kind of table', 'kinds of tables')}")


_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)[^;]*;.*\bextra == ['\"]([a-z]+)['\"]")
_FOR_US = frozenset({"test", "docs", "bench", "interchange"})
"""Extras for those who work on wiretape."""


def extras() -> Iterator[Finding]:
    """Tell which extras are installed."""
    wanted: dict[str, list[str]] = {}
    for requirement in importlib.metadata.requires("wiretape") or ():
        match = _REQUIREMENT.match(requirement)
        if match and match[2] not in _FOR_US:
            wanted.setdefault(match[2], []).append(match[1])
    missing = {extra: [each for each in packages if not _is_installed(each)] for extra, packages in wanted.items()}
    there = sorted(extra for extra, packages in missing.items() if not packages)
    gone = sorted(extra for extra, packages in missing.items() if packages)
    said = f"installed: {', '.join(there) or 'none'}"
    advice = ""
    if gone:
        said += f"; not installed: {', '.join(gone)}"
        advice = f"where you want one, in a clone: pip install '.[{gone[0]}]'"
    yield ok("extras", said, advice)


def _is_installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
