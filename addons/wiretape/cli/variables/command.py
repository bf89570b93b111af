"""``wiretape env``: writes the CAs that programs have to trust into a folder, and prints the variables on stdout.

All else goes to stderr: stdout is for ``eval`` and for files. A token is on stdout alone, where it is asked for.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from wiretape.cli.certificates import TrustFiles, put, trusted_pem, write_trust_files
from wiretape.cli.console import say
from wiretape.cli.environment import CA_VARIABLES, NODE_PRELOAD, child_environment
from wiretape.cli.proxy_url import ProxyUrl
from wiretape.cli.variables import authorities, formats
from wiretape.cli.variables.authorities import Found, NoAuthorityError
from wiretape.cli.variables.formats import Format

_IN_IMAGE = "/etc/wiretape"
"""Where an image has the files."""

_OF_CONTEXT = "wiretape-ca"
"""The folder from which a Dockerfile copies them."""

_ELSEWHERE = (Format.DOCKER, Format.DOTENV)
"""Formats for programs that do not have the variables of this shell."""


@dataclass(frozen=True, slots=True)
class EnvPlan:
    """What is asked for."""

    proxy: ProxyUrl
    format: Format
    environ: Mapping[str, str]
    confdir: Path
    """Where proxies of this machine keep their CA."""
    files: Path | None = None
    """The folder for the CAs; by default one of the user's."""
    expected: str = ""
    """The fingerprint that the CA must have, where one is named."""


def fingerprint(confdir: Path) -> str:
    """Return the fingerprint of the CA of this machine. Raises NoAuthorityError."""
    return authorities.of_machine(confdir).authority.fingerprint


def env(plan: EnvPlan) -> int:
    """Write the files and print the variables. Return the exit code. Raises NoAuthorityError, OSError, ValueError."""
    found = authorities.of_proxy(plan.proxy, plan.confdir)
    _check(plan, found)
    folder = _folder(plan, found)
    trust = _write(plan, found, folder)
    written = [*_copied(plan, folder), *_variables(plan, trust, f"{_seen_as(plan, folder)}/{NODE_PRELOAD.name}")]
    for line in written:
        print(line)
    _tell(plan, found, folder)
    return 0


def _check(plan: EnvPlan, found: Found) -> None:
    if plan.expected and _digits(plan.expected) != _digits(found.authority.fingerprint):
        raise NoAuthorityError(
            f"the CA of {found.source} is another one than --expect says: its fingerprint is "
            f"{found.authority.fingerprint}"
        )


def _digits(text: str) -> str:
    """Return the digits of a fingerprint, also of a whole line of openssl's."""
    return text.rpartition("=")[2].replace(":", "").replace(" ", "").lower()


def _folder(plan: EnvPlan, found: Found) -> Path:
    """Return the folder for the files. Raises ValueError where a Dockerfile could not copy from it."""
    if plan.format is Format.DOCKER:
        folder = plan.files or Path(_OF_CONTEXT)
        if folder.is_absolute() or ".." in folder.parts or not folder.parts:
            raise ValueError("--files: a Dockerfile copies from a folder below its own: --files wiretape-ca")
        return folder
    if plan.files:
        return plan.files.absolute()
    return _own(plan.environ) / found.authority.digest


def _own(environ: Mapping[str, str]) -> Path:
    """Return the folder below which the files of all proxies are, for this user."""
    base = environ.get("XDG_CONFIG_HOME") or environ.get("LOCALAPPDATA")
    if base and Path(base).is_absolute():
        return Path(base, "wiretape", "ca")
    try:
        return Path.home() / ".config" / "wiretape" / "ca"
    except RuntimeError as e:  # A user without a home, as in some containers.
        raise OSError("there is no home for the CAs: name a folder with --files") from e


def _write(plan: EnvPlan, found: Found, folder: Path) -> TrustFiles:
    """Write the CAs that programs trust anyway, and the proxy's, and what Node needs."""
    # What this command has written before is no CA of the user's.
    own = [str(folder)]
    with suppress(OSError):
        own.append(str(_own(plan.environ)))
    users = {
        name: value
        for name, value in plan.environ.items()
        if name not in CA_VARIABLES or not value.startswith(tuple(own))
    }
    folder.mkdir(parents=True, exist_ok=True)
    put(folder / NODE_PRELOAD.name, NODE_PRELOAD.read_bytes())
    return write_trust_files(folder, trusted_pem(users) + b"\n" + found.authority.pem, _seen_as(plan, folder))


def _seen_as(plan: EnvPlan, folder: Path) -> str:
    """Return the path of the folder for the programs."""
    if plan.format is Format.DOCKER:
        return _IN_IMAGE
    return str(folder)


def _copied(plan: EnvPlan, folder: Path) -> Iterable[str]:
    """Yield what goes before the variables."""
    if plan.format is Format.DOCKER:
        source = folder.as_posix()
        yield f'COPY ["{source}/", "{_IN_IMAGE}/"]'


def _variables(plan: EnvPlan, trust: TrustFiles, preload: str) -> list[str]:
    base: Mapping[str, str] = plan.environ
    if plan.format in _ELSEWHERE:
        base = {}
    proxy = plan.proxy.value
    child = child_environment(base, proxy, trust, preload=preload)
    ours = child_environment({}, proxy, trust, preload=preload)
    others = {name: value for name, value in child.items() if value != base.get(name)}
    values = {name: child[name] for name in ours | others}
    return formats.lines(plan.format, values, sorted(base.keys() - child.keys()))


def _tell(plan: EnvPlan, found: Found, folder: Path) -> None:
    say(f"for the proxy {plan.proxy}, with the CA of {found.source} in {folder}")
    say(f"its SHA-256 fingerprint: {found.authority.fingerprint}")
    if found.is_told and not plan.expected:
        say("it came over the network: compare it with that on the proxy's machine, where `wiretape env --fingerprint`")
        say("tells it, and from then on say --expect FINGERPRINT")
    for hint in _hints(plan):
        say(hint)


def _hints(plan: EnvPlan) -> Iterable[str]:
    if plan.format is Format.DOCKER and plan.proxy.is_here:
        yield f"{plan.proxy.address.host} is the container itself, once it runs: name the proxy's machine with --proxy"
    if plan.format is Format.DOCKER and plan.proxy.token:
        yield "an image keeps the token for all who have it: rather set HTTPS_PROXY and HTTP_PROXY when it runs"
    if plan.format is Format.DOTENV and plan.proxy.token:
        yield "the token is among these lines: keep the file out of the repository"
    if plan.format is Format.GITHUB and "NODE_OPTIONS" in formats.SYNTAX[Format.GITHUB].left_out:
        yield "without NODE_OPTIONS, which no step can set: Node 22.21, 24 and newer need it not"
