# SPDX-License-Identifier: Apache-2.0
"""Requests to a REST API of Kafka Connect's, whoever serves it."""
import json
import urllib.error
import urllib.request


def ask(url, method, path, body=None, headers=None, text=None):
    """Status, parsed body (None when empty; text when it is no JSON), headers. text goes as it is, body as JSON."""
    data = text.encode() if isinstance(text, str) else text
    if body is not None:
        data = json.dumps(body).encode()
    request = urllib.request.Request(url + path, method=method, data=data,
                                     headers={"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            status, raw, got = answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as refused:
        status, raw, got = refused.code, refused.read(), refused.headers
    try:
        return status, json.loads(raw) if raw else None, got
    except ValueError:
        return status, raw.decode(errors="replace"), got
