"""The mitmproxy front: the only package that knows a flow."""
