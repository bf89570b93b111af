"""When two requests are the same, and how near they are where they are not.

``request``   request bytes -> the recorded request, its hash, its equality
``aliases``   ids that the form 2026 has replaced, in the requests that send them back
``outline``   a request in few bytes, and which of many are near to one
``rules``     by which rules two requests are the same though they differ, as data; ``built_in``, those for everyone
``reduction`` a request without what rules take out of it: ``json_path``, ``ordering``, ``texts`` and its ``kinds``
``bindings``  in an answer, a recorded value becomes the present one
"""
