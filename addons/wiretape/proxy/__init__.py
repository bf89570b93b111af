"""The mitmproxy front: the only package that knows a flow.

``options``           the options, as data; ``configure``: what is chosen -> ``runtime``, one value;
                      ``storing``: its store
``addon``             the addon's life; ``hooks``: a hook of it that raises has refused
``rule_checks``       what rules make one, told at a start
``reporting``         what one of several workers tells the others' coordinator
``web_pages``         the page of counters and the control API; ``controlled``: what that is about
``compat``            what is done to the mitmproxy that runs us
``layers``            layers of ours in the place of mitmproxy's
``connections``       who comes in; ``refusals``: who does not; ``reverse_clients``: who comes to the reverse port
``destinations``      where a connection may go; ``host_agreement``: whether a request says one thing of that
``read_sizes``        how much of a connection is read at once
``revoking``          a token that is taken back closes what it opened
``admission``         credentials -> whose a request is; ``fault_sets``: which faults it may meet
``overriding``        scopes, and what holds for sessions until further notice: changed from other threads
``calls``             a request, and what becomes of it: values
``decide``            the one decision; ``reading``: what a request says; ``look_up``: its recording
``programs``          which known programs are at work in a session
``threads``           what takes time away from the traffic
``framing``           an answer's head and chunks, as a protocol has them, on their way
``responses``         an answer in one piece: refusals, errors
``flows``             a flow's hooks; ``flow_state``: what a flow is to us
``answering``         what was decided becomes a flow's; ``declining``: what a request is told that gets none
``passing``           what no recording answers; ``upgrades``: what has no request that comes before its answer
``sharing``           which requests share a live answer
``live_answers``      those under way; ``recorder``: one under recording; ``journaling``: the journal that it goes into
``call_teller``       what became of each call, told once; ``open_call``: one whose answer has not ended
``watched_answer``    a live answer that is not recorded, looked at for its tokens
``accounting``        what calls cost, added up; ``budgets``: whether a session may still spend
``call_report``       the misses that ``wiretape run`` tells at its end
``hit_log``, ``flow_printing``   hits in the log, flows on mitmdump's screen
"""
