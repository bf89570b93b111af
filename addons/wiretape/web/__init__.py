"""The page: recordings and calls to look at, in a browser. It changes nothing where it is only read.

``source``   what the page is about: recordings, and calls where a proxy runs
``shelf``    the recordings of a store, as lists and one by one; for any number of them
``views``    what is asked for -> the values that a template shows
``details``  what a recording's page shows; ``commands``: its request as a command of a shell
``calls``    which calls a page shows: the fields of its address
``runs``     runs of an agent: which there are, and the steps of one
``misses``   a request that had no recording, and how the nearest one differs
``drawing``  a timeline as a drawing
``pages``    the templates, and what is text in them
``report``   recordings as one file that opens anywhere
``cookies``  the token of a browser
``app``      the routes
"""
