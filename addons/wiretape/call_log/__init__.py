"""What became of each call: kept on this machine, for tests, the page and the command line.

Read the modules in this order:

``call``      one call, as a value and as JSON
``places``    in which file the calls to a place of recordings are
``report``    calls as lines of JSON, in a file that can be handed on
``database``  calls in a file of SQLite, which several processes share: written, and bounded
``preparing`` makes calls ready to be written: what they cost, no secrets
``log``       takes calls from any thread, and has them written
``reader``    reads files of both kinds: by session, scope and run, and what is new
"""
