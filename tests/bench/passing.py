"""A script for ``mitmdump -s``: the least that lets streams pass through mitmproxy.

Recording is measured against it.
"""

from mitmproxy import http


def responseheaders(flow: http.HTTPFlow) -> None:
    """Pass each piece on as it comes."""
    assert flow.response
    flow.response.stream = True
