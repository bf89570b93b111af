"""Layers of ours in the place of those of mitmproxy: tunnels, TLS, HTTP.

``install``          which connections have them, and whether this mitmproxy is one that they know
``connect``          a tunnel to a provider, and what the client does inside
``tls``              the TLS inside, at a fifth of its cost
``fast_http1``       HTTP/1.1 without a flow: answers hits, and delegates all else
``http1_heads``      what the head of such a request says
``http``             mitmproxy's HTTP layer, with streams of ours
``direct_stream``    a stream that answers before there is a flow
``playing_stream``   a stream whose answer is played, shared, or stopped by a fault
``admitted_stream``  mitmproxy's stream of a request, which nothing goes through that was not let in
``hooks``            what they ask the addon
``connection_pool``  connections to servers, for clients of HTTP/2
``lenient_http1``    what is read of HTTP/1.1 that not everybody expects
``refusing``         a layer that gives a last answer and closes
"""
