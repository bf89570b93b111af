"""A live answer until its recording is written: in a file that outlives the process, and what writes from it.

``exchange_file``   one live exchange as a file that only grows
``key``             what seals that file: in memory alone
``folder``          where such files are, a folder for each proxy process
``write_job``       what has to be known to write a recording
``writer``          from the journal to recordings
``isolated``        a process that takes nothing from the folder it is started in
``recovery``        what a killed proxy left
``writer_process``  the process that writes
"""
