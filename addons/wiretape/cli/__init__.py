"""The ``wiretape`` command.

``main``                the entry point
``commands``            the commands and their flags; ``recording_commands``: those on recordings; ``setup_commands``:
                        those that set up
``helping``             their help
``options``             flags and ``WIRETAPE_*`` variables -> mitmproxy options, in order of precedence
``embedded``            a mitmproxy on loopback, in this process
``upstream``            the proxy that the environment names already: ours connects by way of it
``certificates``        the CAs that the command's programs trust; ``authority``: one of them
``environment``         the environment of the child; ``directories``: those that it works in
``proxy_url``           a proxy, as a user names it; ``proxy_answer``: what answers there
``variables``           ``env``: the environment for a shell, an image, a file
``init``                writes what a project needs
``doctor``              looks whether all is set up right
``run``                 the child: its signals, its exit code
``hosted``              a proxy for the program that has started it, such as pytest
``isolation``           the child in namespaces of its own, whose only way out is the proxy
``summary``             what happened, in a line or two; ``reports``: all of it, for people and for CI
``ui``                  the page about recordings; ``export_html``: a file of them; ``page_commands``: their flags
``serve``               several proxies behind one port; ``serve_plan``: what it has to keep up; ``serve_control``:
                        what the control API of all of them is about
``reuseport_worker``    a proxy that shares its port
``status``              the counters of a running proxy
``files``               the recordings that a command looks at; ``sources`` finds them
``files_on_disk``       those below a folder; ``files_in_bucket``: those of a bucket
``recordings``          ``show``, ``verify``, ``convert``; ``listing``: ``ls``
``budget``              what sessions may spend and have spent
``freshness_commands``  the commands on recordings that are old or of no use, and their flags; ``unused``, ``refresh``:
                        what they do
``refresh_client``      sends recorded requests once more, through a proxy of the same process
``rules``               the commands on rules of matching; ``rule_texts``: rules in words
``redact``              cleans a store that is older than a rule
``recover``             writes what killed proxies have left
``session``             the commands on sessions and their flags; ``sessions``: what they do
``matching_commands``   the commands on what rules do to recordings, and their flags; ``rules_check``,
                        ``rules_suggest``: what they do
``rules_in_force``      the rules that a proxy would have
``token``               the commands on tokens
``demo``                all of it, on the shipped recordings; ``demo_app`` is the app
``console``             what a command tells the user; ``bounded``: work that may wait, for a bounded time

The proxy itself is in ``wiretape.proxy``: nothing here decides what is a hit. Modules that import mitmproxy
(``embedded``, ``run``, ``reuseport_worker``) are imported by the commands that need them, so that ``wiretape addon``
and ``--version`` answer at once.
"""
