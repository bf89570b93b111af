"""The texts of the files that ``wiretape init`` writes."""

WIRETAPE_TOML = """\
# wiretape: what holds for this project. It is read where it is named:
#
#   export WIRETAPE_CONFIG=wiretape.toml                  for wiretape run, serve, doctor and the others
#   wiretape_options = ["wiretape_config=wiretape.toml"]  for pytest, in [tool.pytest.ini_options] of pyproject.toml
#   mitmdump ... --set wiretape_config=wiretape.toml
#
# All of it may be left out. Take away the "#" before a line to use it; `wiretape doctor` checks the file.

# Sets of recordings. A client names its session in the proxy's URL, http://checkout@HOST:PORT.
#[session.checkout]
#layers = ["main"]            # what it lacks is served from there; what it records stays in it
#mode = "record-if-missing"
#max_age = "90d"              # an answer that is older is told; on_expiry = "fail" or "rerecord" does more
#budget = "5 USD"             # then what is paid for is refused; recordings are served as before
#[session.main]
#modes = ["replay"]           # nobody records in it: wiretape session promote checkout --into main

# When is a request the same as a recorded one? `wiretape rules` tells what is built in, and `wiretape rules suggest`
# makes rules of the last misses.
#[[match]]
#name = "today"
#reason = "Our prompts begin with the date."
#replace = [{ path = "$.messages[0].content", pattern = 'Today is (\\S+)\\.', name = "date" }]

#[[match]]
#name = "trace"
#reason = "The id of a trace, for our log."
#ignore = ["$.metadata.trace_id"]

# What is no business of a recording. Keys and passwords are taken out without a rule.
#[redaction]
#pii = true                   # cards, e-mail addresses, telephone numbers

#[[redact]]
#name = "customer"
#path = "metadata.customer_id"
#replace = "a-customer"

# A gateway or a model server of your own that speaks OpenAI's API.
#[[provider]]
#name = "house"
#hosts = ["llm.example.com"]
#base = "/v1"
#endpoints = ["openai"]

# What goes wrong on purpose: every fifth call is told to slow down.
#[[fault]]
#session = "default"
#share = 0.2
#seed = 7
#status = 429
#retry_after = "2"
"""

ATTRIBUTES = (
    "# wiretape: recordings are generated, and their line ends are never converted.",
    "recordings/** linguist-generated -text",
)

IGNORED = (
    "# wiretape: what a killed writer leaves behind, and the hashes of tokens.",
    ".wiretape-*.tmp",
    "wiretape-tokens.toml",
)

PYTHON_TEST = '''\
"""A first test with wiretape: recorded once, with a key, and replayed from then on, without one.

    pytest --wiretape=record-if-missing {path}
    pytest --wiretape=replay {path}

Let it call your own program in place of the SDK: nothing in the program needs to know of wiretape.
"""

import os

import pytest

openai = pytest.importorskip("openai")


def test_the_model_answers():
    # In a replay any key will do.
    client = openai.OpenAI(api_key=os.environ.get("OPENAI_API_KEY", "none"))
    question = {{"role": "user", "content": "What colour is a clear sky by day? Answer with one word."}}
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=[question])
    assert "blue" in answer.choices[0].message.content.lower()
'''

JAVASCRIPT_TEST = """\
// A first test with wiretape: recorded once, with a key, and replayed from then on, without one.
//
//   wiretape run --mode record-if-missing -- node --test {path}
//   wiretape run --mode replay -- node --test {path}
//
// Let it call your own program in place of fetch: nothing in the program needs to know of wiretape.
import assert from 'node:assert/strict';
import test from 'node:test';

test('the model answers', async () => {{
  const response = await fetch('https://api.openai.com/v1/chat/completions', {{
    method: 'POST',
    headers: {{
      'content-type': 'application/json',
      authorization: `Bearer ${{process.env.OPENAI_API_KEY ?? 'none'}}`, // in a replay any key will do
    }},
    body: JSON.stringify({{
      model: 'gpt-4o-mini',
      messages: [{{ role: 'user', content: 'What colour is a clear sky by day? Answer with one word.' }}],
    }}),
  }});
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  assert.match(answer.choices[0].message.content, /blue/i);
}});
"""
