"""When two requests are the same, how near they are where they are not, and what an answer says to the present one.

``request``   request bytes -> the recorded request, its hash, its equality
``aliases``   ids that the form 2026 has replaced, in the requests that send them back
``outline``   a request in few bytes, and which of many are near to one
``bindings``  present values in the answer to a recorded request; ``bound_values``: where one stands in a text
"""
