"""Real coding agents, recorded once and replayed many times: what ``make agents`` runs. No part of ``make test``.

The programs are the makers' own, from npm and PyPI. Each runs in a network namespace in which every name leads to a
scripted provider, with a home of its own and keys that are invented. While a run is replayed, a trap stands in the
provider's place, which answers nothing and notes who comes.

``programs``    the table: what is installed, and with which command a program is started
``frameworks``  more of the table: small programs of ours with the frameworks' own packages, which are in ``apps/``
``languages``   more of the table: a chat in each language, as its HTTP client is
``installing``  packages into ``agents/``, which git does not know
``lab``         the namespace; homes and folders that are the same each time
``task``        what the model says: one text, or a call of a tool
``spoken``      the same in the words of OpenAI, Anthropic and Google
``provider``    the servers: TLS for any name, names, the trap
``trial``       one program: recorded, then replayed in each place, and what came of it
``report``      the tables, on the screen and in ``docs/guides/agents.md``
``fixtures``    the requests of five runs, shortened, for ``tests/data/agents``
"""
