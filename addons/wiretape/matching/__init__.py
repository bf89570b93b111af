"""When two requests are the same, how near they are where they are not, and what an answer says to the present one.

``request``   request bytes -> the recorded request, its hash, its equality
``aliases``   ids that the form 2026 has replaced, in the requests that send them back
``outline``   a request in few bytes, and which of many are near to one

The same though they differ:

``rules``     by which rules, as data; ``built_in``, those for everyone; ``choice``, which of them an option turns on
``presets``   those of known programs; ``rule_tables``: rules as a configuration says them
``reduction`` a request without what rules take out of it: by ``taking_out``, part by part (``parts``), with the help of
              ``json_path`` (``json_path_patterns``), ``json_edits``, ``spine``, ``ordering``, ``texts``, ``kinds``,
              ``marks``
``repeated``  values that stand in several texts of a request: in answers that were sent back, and in a user's words
``varying``   what of two texts a rule could take out
``bindings``  the present values of a request in the answer to a recorded one; ``bound_values``: where one is in a text
"""
