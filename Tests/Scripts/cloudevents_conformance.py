"""Sends CloudEvents of the official SDK to a gateway in every mode, reads them back and compares them.

Both of the SDK's interfaces are used: cloudevents.core (2.x) and cloudevents.v1.http (1.x).
Usage: cloudevents_conformance.py PORT. Prints one line for each failure, and "passed N" at the end.
"""
import http.client
import json
import sys
import urllib.parse
from datetime import datetime, timedelta, timezone

from cloudevents.core.bindings import http as core
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cloudevents.v1 import http as v1

PORT = int(sys.argv[1])
failures = 0
passed = 0


def ask(method, path, headers=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
    connection.request(method, path, body=body, headers=headers or {})
    answer = connection.getresponse()
    content = answer.read()
    found = {k.lower(): v for k, v in answer.getheaders()}
    connection.close()
    return answer.status, found, content


def check(name, condition, detail=""):
    global failures, passed
    if condition:
        passed += 1
    else:
        failures += 1
        print(f"FAILED {name}: {detail}")


TIME = datetime(2026, 3, 1, 12, 0, 0, 123000, tzinfo=timezone.utc)
CASES = {
    "plain": ({}, {"price": 50000.5, "symbol": "BTC-USD", "n": 12345678901234567890}),
    "nested": ({"subject": "a/b"}, {"a": [1, {"b": None}], "data": "x", "data_base64": "no"}),
    "unicode": ({"subject": "Zürich 東京 🚀", "ext": "ünï \"quoted\" 100% %41"}, {"text": "🚀 ü \u2028 \"\\"}),
    "absent": ({"datacontenttype": "application/json"}, None),
    "absent and untyped": ({}, None),
    "empty object": ({}, {}),
    "text": ({"datacontenttype": "text/plain"}, "hello\r\n wörld"),
    "xml": ({"datacontenttype": "application/xml"}, "<a b=\"ü\"/>"),
    "bytes": ({"datacontenttype": "application/octet-stream"}, bytes(range(256))),
    "image": ({"datacontenttype": "image/png"}, b"\x89PNG\r\n\x1a\n\x00"),
    "vendor json": ({"datacontenttype": "application/vnd.example+json"}, {"a": 1}),
    "charset": ({"datacontenttype": "application/json; charset=utf-8"}, {"a": "ü"}),
    "schema": ({"dataschema": "https://example.com/schemas/1?x=%20#y"}, {"a": 1}),
    "offset time": ({"time": datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))}, {"a": 1}),
    "our extensions": (
        {"correlationid": "c-1", "parenteventid": "p-1", "priority": "2",
         "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, {"a": 1}),
    "extensions": ({"comexampleext1": "value", "timestamp": "mine", "payload": "mine, too", "x9": "9"}, {"a": 1}),
    "long": ({"subject": "s" * 2000}, {"a": "x" * 100000}),
    "urn source": ({"source": "urn:event:from:myapi/resource/123"}, {"a": 1}),
    "mail source": ({"source": "mailto:cncf-wg-serverless@lists.cncf.io"}, {"a": 1}),
}


def event_of(name, mode):
    attributes, data = CASES[name]
    full = {"id": f"{name} {mode}", "source": "https://example.com/sensors/3", "type": "com.example.reading",
            "specversion": "1.0", "time": TIME}
    full.update(attributes)
    return CloudEvent(full, data)


def comparable(event):
    attributes = {k: v for k, v in event.get_attributes().items() if k != "tidingsoffset" and v is not None}
    # Headers have no types: what came in binary mode comes back as text; priority is a number with us.
    return {k: v if k == "time" else str(v) for k, v in attributes.items()}, event.get_data()


def read_back(event):
    path = "/api/v1/events/" + urllib.parse.quote(event.get_attributes()["id"], safe="")
    status, headers, body = ask("GET", path, {"Accept": "application/cloudevents+json"})
    if status != 200:
        raise AssertionError(f"{status} {body[:300]}")
    return core.from_structured(core.HTTPMessage({"content-type": headers["content-type"]}, body), JSONFormat(), CloudEvent)


for name in CASES:
    for mode in ("structured", "binary"):
        event = event_of(name, mode)
        make = core.to_structured if mode == "structured" else core.to_binary
        message = make(event, JSONFormat())
        status, _, body = ask("POST", "/api/v1/events", dict(message.headers), message.body)
        check(f"{name} {mode} accepted", status == 202, body[:300])
        try:
            back = read_back(event)
            check(f"{name} {mode} equal", comparable(back) == comparable(event), f"{comparable(back)} {comparable(event)}")
        except Exception as error:
            check(f"{name} {mode} read", False, repr(error))

# Batches: the SDK has no writer for them, the format is an array of what it writes one by one.
events = [event_of(name, "batch") for name in CASES]
body = b"[" + b",".join(JSONFormat().write(event) for event in events) + b"]"
status, _, answer = ask("POST", "/api/v1/events", {"content-type": "application/cloudevents-batch+json"}, body)
check("batch accepted", status == 202 and json.loads(answer)["accepted"] == len(events), answer[:300])
first = json.loads(answer)["events"][0]["offset"]
status, headers, body = ask(
    "GET", f"/api/v1/events?after={first - 1}&limit=1000", {"Accept": "application/cloudevents-batch+json"})
check("batch type", headers.get("content-type") == "application/cloudevents-batch+json", headers)
back = [JSONFormat().read(CloudEvent, json.dumps(one).encode()) for one in json.loads(body)]
check("batch length", len(back) == len(events), len(back))
for event, one in zip(events, back):
    check(f"{event.get_attributes()['id']} equal", comparable(one) == comparable(event), f"{comparable(one)} {comparable(event)}")

# The interface of 1.x.
for name, (attributes, data) in CASES.items():
    for mode in ("structured", "binary"):
        if isinstance(data, str) and mode == "structured" and not attributes.get("datacontenttype", "").startswith("text"):
            continue
        full = {"id": f"v1 {name} {mode}", "source": "https://example.com/v1", "type": "com.example.v1"}
        full.update({k: v.isoformat() if isinstance(v, datetime) else v for k, v in attributes.items()})
        if name in ("unicode", "schema") and mode == "binary":
            continue  # 1.x does not percent-encode headers: a %20 is read as what it stands for, as the binding asks.
        event = v1.CloudEvent(full, data)
        # Its JSON writer is for dictionaries; for anything else the caller marshals.
        headers, body = (
            v1.to_structured(event) if mode == "structured" else
            v1.to_binary(event, data_marshaller=(lambda x: x if isinstance(x, bytes) else x.encode()
                                                 if isinstance(x, str) else json.dumps(x).encode())))
        if data is None and mode == "binary":
            body = b""
        status, _, answer = ask("POST", "/api/v1/events", headers, body)
        check(f"v1 {name} {mode} accepted", status == 202, answer[:300])
        path = "/api/v1/events/" + urllib.parse.quote(full["id"], safe="")
        status, headers, body = ask("GET", path, {"Accept": "application/cloudevents+json"})
        try:
            back = v1.from_http(headers, body)
            got = {k: str(v) for k, v in back.get_attributes().items() if k not in ("tidingsoffset", "time")}
            want = {k: str(v) for k, v in event.get_attributes().items() if k not in ("time",) and v is not None}
            check(f"v1 {name} {mode} equal", got == want and back.get_data() == data,
                  f"{got} {want} {back.get_data()!r:.200} {data!r:.200}")
        except Exception as error:
            check(f"v1 {name} {mode} read", False, f"{error!r} {body[:200]}")

print(f"passed {passed}")
sys.exit(1 if failures else 0)
