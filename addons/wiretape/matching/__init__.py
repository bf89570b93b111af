"""When two requests are the same, and how near they are where they are not.

``request``   request bytes -> the recorded request, its hash, its equality
``aliases``   ids that the form 2026 has replaced, in the requests that send them back
``outline``   a request in few bytes, and which of many are near to one
"""
