"""Where recordings live. A store takes names and bytes and gives bytes; it does not know what a recording means.

``base``       what every store can do
``failures``   which errors mean "there is nothing", and which mean "that cannot be told"
``directory``  a directory as a store
``atomic``     writes files that appear whole or not at all; ``modes``: who may read them
``regular``    reads regular files inside a folder, and no others
``committed``  when the files of a folder were committed last, where it is in a repository
``mounts``     tells whether a folder is on a disk of this machine
``grouped``    lets several writes wait for the disk together
``bucket``     S3, Google Cloud Storage, Azure
``opening``    a path or a URL -> a store
``freezing``   a session that is read-only for everybody
``notes``      what was found out about files, kept on this machine
``shared_database``  what several processes need that write one database
``lru``        a cache of bounded size
"""
