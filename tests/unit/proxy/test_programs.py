"""Which known programs are at work in which session."""

from wiretape.providers.ignoring import IgnoredRequests, Program
from wiretape.proxy import programs
from wiretape.proxy.programs import ProgramsAtWork

KNOWN = IgnoredRequests([Program.parse(name, (f"{name}/*",), ()) for name in ("one", "two")])


def test_a_program_is_at_work_from_its_first_request_on() -> None:
    at_work = ProgramsAtWork()
    assert not at_work.of("a", KNOWN)
    at_work.see("a", "git/2.39", KNOWN)
    assert not at_work.of("a", KNOWN)
    at_work.see("a", "one/1", KNOWN)
    at_work.see("a", "two/1", KNOWN)
    at_work.see("a", "git/2.39", KNOWN)
    assert at_work.of("a", KNOWN) == {"one", "two"}
    assert not at_work.of("b", KNOWN)


def test_clients_that_name_very_many_sessions_fill_no_memory() -> None:
    at_work = ProgramsAtWork()
    for number in range(programs._SESSIONS + 10):
        at_work.see(f"s{number}", "one/1", KNOWN)
    assert len(at_work._by_session) == programs._SESSIONS
    at_work.see("s1", "two/1", KNOWN)
    assert at_work.of("s1", KNOWN) == {"one", "two"}


def test_what_is_run_is_at_work_from_the_start() -> None:
    known = IgnoredRequests([Program.parse("one", ("one/*",), (), ("uno",)), Program.parse("two", ("two/*",), ())])
    at_work = ProgramsAtWork("uno")
    assert at_work.of("a", known) == {"one"}
    at_work.see("a", "two/1", known)
    assert at_work.of("a", known) == {"one", "two"}
    for command in ("two", "", "one"):
        assert not ProgramsAtWork(command).of("a", known)
