"""A live answer until its recording is written: in a file that outlives the process, and what writes from it.

What the proxy does:

``exchange_file``   one live exchange as a file that only grows
``key``             what seals that file: in memory alone
``lock``, ``places``   a lock on a file; where journals can be
``folder``          the folder of a journal, one for each proxy process

What the process does that writes:

``write_job``       what has to be known to write a recording
``stores``          the stores that are written to
``outcome``         what became of an exchange, and what was said of it
``writer``          from the journal to recordings
``leftovers``, ``recovery``   what a killed proxy left, and its end
``isolated``        a process that takes nothing from the folder it is started in
``writer_process``  the process that writes
"""
