"""Talks to a running server over WebSocket and Server-Sent Events, and holds every frame against /asyncapi.json.

check_traffic.py URL EVENTS

EVENTS is how many streamed events have to be right. What our own producers send must have no payload key that the
schema of its type does not name, so that the schemas cannot fall behind the program.
"""

import asyncio
import json
import sys

import jsonschema
import requests
import websockets

url, wanted = sys.argv[1].rstrip("/"), int(sys.argv[2])
document = requests.get(url + "/asyncapi.json", timeout=20).json()
schemas = document["components"]["schemas"]
problems, types, seen = [], {}, set()
ours = {"hyperliquid", "binance", "coinbase", "coinbase-advanced", "kraken", "candles"}


def validator(reference):
    return jsonschema.Draft7Validator(
        {"$ref": reference, "components": document["components"]}, format_checker=jsonschema.FormatChecker()
    )


messages = {n: validator(m["payload"]["$ref"]) for n, m in document["components"]["messages"].items()}
payloads = {t: (r.split("/")[-1], validator(r)) for t, r in schemas["Event"]["x-payloads"].items()}


def check(message, value):
    seen.add(message)
    for error in messages[message].iter_errors(value):
        problems.append(f"{message}: {error.message[:300]} at {list(error.path)}")


def check_payload(event):
    name = event["event_type"]
    types[name] = types.get(name, 0) + 1
    if name not in payloads or event["source"] not in ours | {"tidings", "simulator"}:
        return
    component, rules = payloads[name]
    for error in rules.iter_errors(event["payload"]):
        problems.append(f"{name}: {error.message[:300]} at {list(error.path)}")
    for key in event["payload"].keys() - schemas[component]["properties"].keys():
        problems.append(f"{name} of {event['source']} has {key}, which {component} does not name")


def answer_name(frame):
    if frame["type"] == "ack":
        return frame["action"]
    return frame["type"]


async def talk():
    address = url.replace("http", "ws", 1) + "/ws"
    async with websockets.connect(address, max_size=None) as socket:
        waiting, count = 0, 0

        async def receive():
            nonlocal count
            frame = json.loads(await asyncio.wait_for(socket.recv(), 30))
            check(answer_name(frame), frame)
            if frame["type"] == "event":
                count += 1
                check_payload(frame["data"])
            return frame

        async def ask(request, message=None, id=None):
            if message:
                check(message, request)
            if id is not None:
                request = dict(request, id=id)
            await socket.send(json.dumps(request))
            while True:
                frame = await receive()
                if frame["type"] not in ("event", "gap"):
                    if frame.get("id") != id:
                        problems.append(f"the answer to {request} has the id {frame.get('id')}")
                    return frame

        await ask({"action": "ping"}, "ping", id=[1, {"a": None}])
        await ask({"action": "subscribe"}, id="x")
        await ask({"action": "zzz"})
        await ask({"action": "publish", "event": {"event_type": "custom", "priority": 11}}, id=2)
        event = {"event_id": f"traffic-{id(socket)}", "event_type": "custom", "payload": {"n": 1.50}}
        for _ in range(2):
            await ask({"action": "publish", "event": event}, "publish")
        await ask({"action": "subscribe", "symbols": ["*"], "from": "start", "sources": []}, "subscribe")
        await ask({"action": "subscribe", "event_types": ["trade"], "from": {"epoch": "no", "offset": 7}}, "subscribe")
        await ask(
            {"action": "subscribe", "symbols": ["a"], "from": {"time": "1m"}, "conflate": False, "max_rate": 1e6},
            "subscribe",
            id=0,
        )
        while count < wanted:
            await receive()
        await ask({"action": "unsubscribe", "symbols": ["a"], "event_type": "trade"}, "unsubscribe")
        await ask({"action": "unsubscribe", "symbols": ["*"]}, "unsubscribe")


def stream():
    headers = {"Last-Event-ID": "no-such-epoch-7"}
    with requests.get(url + "/api/v1/stream", headers=headers, stream=True, timeout=30) as answer:
        fields, count = {}, 0
        for line in answer.iter_lines(decode_unicode=True):
            if line:
                name, _, value = line.partition(":")
                fields[name] = value.removeprefix(" ")
                continue
            if "data" in fields:
                name = {"gap": "streamGap", "reset": "streamReset"}.get(fields.get("event"), "streamEvent")
                data = json.loads(fields.pop("data"))
                check(name, data)
                head = document["components"]["messages"][name]["headers"]
                for error in jsonschema.Draft7Validator(head).iter_errors(fields):
                    problems.append(f"{name}: {error.message}")
                if name == "streamEvent":
                    check_payload(data)
                    count += 1
                    if count >= wanted:
                        return
            elif fields and fields != {"retry": "2000"} and fields != {"": ""}:
                problems.append(f"without data: {fields}")
            fields = {}


asyncio.run(talk())
stream()
for problem in sorted(set(problems))[:50]:
    print(problem)
missing = {"pong", "error", "published", "subscribed", "unsubscribed", "event", "streamEvent", "streamReset"} - seen
if missing:
    print(f"never came: {sorted(missing)}")
print(f"{types}, {len(problems)} problems")
sys.exit(1 if problems or missing else 0)
