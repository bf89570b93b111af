"""Where recordings live. Takes names and bytes, gives bytes; does not know what a recording means.

``opening``    a path or a URL -> a store
``base``       what every store can do
``failures``   which errors mean "there is nothing", and which that it cannot be told
``directory``  a directory; ``mounts`` tells whether it is on a disk of this machine, ``regular`` reads files and no
               others, ``modes`` says who may read them, ``grouped`` lets several writes wait for the disk once
``bucket``     S3, Google Cloud Storage, Azure: any number of proxies at once. Behind it, nearest first:
``spool``, ``drainer``   what waits for a bucket that is away, and who takes it up
``objects``    what was seen, for how long it is believed (``cache``), writes that depend on it; each is asked for once
               at a time (``single_flight``)
``probe``      which conditions the server honours
``remote``     one request each, through obstore; ``breaker`` tells when it is not worth one
``index``      recordings by what they ask; ``notes`` keeps that on this machine. In front of a store
``ledger``     what commands have found out, noted in the same way
``memory``     a bounded memory
"""
