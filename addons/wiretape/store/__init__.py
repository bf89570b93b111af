"""Where recordings live. Takes names and bytes, gives bytes; does not know what a recording means.

``base``       what every store can do
``failures``   which errors mean "there is nothing", and which that it cannot be told
``directory``  a directory; ``mounts`` tells whether it is on a disk of this machine, ``regular`` reads files and no
               others, ``modes`` says who may read them, ``grouped`` lets several writes wait for the disk once
``bucket``     S3, Google Cloud Storage, Azure
``opening``    a path or a URL -> a store
``freezing``   a session that is read-only, for everybody
``notes``      what was found out about files, kept on this machine
``lru``        a bounded memory
"""
