"""The page: recordings and calls to look at, in a browser. A look changes nothing.

``source``   what the page is about: recordings, and calls where a proxy runs
``shelf``    the recordings of a store, as lists and one by one; for any number of them
``overview`` the list of sessions
``views``    what is asked for -> the values that a template shows
``reviews``  how two sessions differ, and what is taken over; ``visitor``: who looks, ``forms``: what is sent
``details``  what a recording's page shows; ``commands``: its request as a command of a shell
``calls``    which calls a page shows: the fields of its address
``runs``     runs of an agent: which there are, and the steps of one
``misses``   a request that had no recording, and how the nearest one differs; ``miss_actions``: what can be done
``drawing``  a timeline as a drawing
``pages``    the templates, and what is text in them
``report``   recordings as one file that opens anywhere
``cookies``  the token of a browser
``app``      the routes
"""
