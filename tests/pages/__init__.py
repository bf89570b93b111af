"""What holds README.md and ``docs/`` to the code.

``links``      every link and every anchor leads somewhere
``marks``      parts of a page that a program writes, between two comments
``reference``  those parts: options, commands, providers, counters
``cast``       the picture of the demo, from its real output
``blocks``     the commands that a page shows, to run them: ``tests/e2e/test_pages.py`` does
``cheap_programs``   ``wiretape`` and ``mitmdump`` for these, without the price of their imports

``.venv/bin/python tests/pages`` writes all that is generated. The tests say what is out of date.
"""
