"""What became of each call: kept on this machine, for tests, the page and the command line.

``call``  one call, as a value and as JSON
"""
