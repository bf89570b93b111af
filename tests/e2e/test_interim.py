"""Answers that only go before the answer, through a real proxy: the client gets the answer, and it is recorded."""

from dataclasses import replace

import pytest

from loopback import Interim, Provider
from samples import FIREWORKS_CHAT, MODEL
from sharing import Shared
from talk import URL, body, httpx_client, streamed

BEFORE = [Interim(100), Interim(103, (("link", "</a>; rel=preload"),)), Interim(102), Interim(103)]


@pytest.mark.parametrize("client_http2", [False, True], ids=["client 1.1", "client 2"])
@pytest.mark.parametrize("provider_http2", [False, True], ids=["provider 1.1", "provider 2"])
def test_the_client_gets_the_answer_and_so_does_the_recording(
    shared: Shared, client_http2: bool, provider_http2: bool
) -> None:
    answer = replace(streamed(MODEL, "Hi there"), before=BEFORE)
    with Provider(http2=provider_http2) as provider:
        provider.on(FIREWORKS_CHAT, answer)
        with shared.lent("record", provider) as proxy:
            for mode in ("record", "live", "replay"):
                proxy.in_mode(mode)
                with httpx_client(proxy, http2=client_http2) as client:
                    for expects in ({}, {"expect": "100-continue"}) if not client_http2 else ({},):
                        got = client.post(URL, json=body("Hi"), headers=expects)
                        assert (got.status_code, got.content) == (200, answer.body)
                if mode == "record":
                    proxy.wait_for_log("recorded")
