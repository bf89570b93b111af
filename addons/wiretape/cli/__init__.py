"""The ``wiretape`` command.

``main``           the entry point; ``commands``: all of them and their flags; ``helping``: their help
``options``        flags and ``WIRETAPE_*`` variables -> mitmproxy options, in order of precedence
``embedded``       a mitmproxy on loopback, in this process
``upstream``       the proxy that the environment names already: ours goes out by way of it
``certificates``   the CAs that the command's programs trust
``environment``    what the child finds in its environment
``run``            the child: its signals, its exit code
``summary``        what happened, in a line or two
``serve``          several proxies behind one port; ``serve_plan``: which, and how; ``reuseport_worker``: one of them
``status``         the counters of a running proxy
``files``, ``sources``   the recordings that a command looks at: ``files_on_disk``, or ``files_in_bucket``
``recordings``     ``show``, ``verify``, ``convert``; ``recording_commands``: their flags; ``listing``: ``ls``
``redact``         a store that is older than a rule, cleaned
``recover``        what killed proxies left, written
``session``, ``sessions``   the commands on sessions: their flags, what they do
``token``          the commands on tokens
``demo``           all of it, on the shipped recordings: ``demo_app`` is the app
``console``        what a command says beside its output

The proxy itself is in ``wiretape.proxy``: nothing here decides what is a hit. Modules that import mitmproxy
(``embedded``, ``run``, ``reuseport_worker``) are imported by the commands that need them, so that ``wiretape addon``
and ``--version`` answer at once.
"""
