"""What happened, counted, and the counters as a page for Prometheus.

``counters``    what happened, by session
``prometheus``  the text of the page
"""
