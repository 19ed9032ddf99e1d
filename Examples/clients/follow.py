"""Follows the trades of a Tidings server and never loses its place. pip install websockets

follow.py [URL [TOKEN]]
"""

import asyncio
import json
import sys

import websockets


async def follow(url, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    place = None  # the epoch and offset of the last event we had
    # Connects again by itself, with a growing pause, after a lost connection.
    async for socket in websockets.connect(url, additional_headers=headers, max_size=4 << 20):
        request = {"action": "subscribe", "event_types": ["trade"]}
        if place:
            request["from"] = place
        try:
            await socket.send(json.dumps(request))
            async for text in socket:
                frame = json.loads(text)
                if frame["type"] == "event":
                    event = frame["data"]
                    place["offset"] = frame["offset"]
                    print(event["source"], event["payload"]["symbol"], event["payload"]["price"], flush=True)
                elif frame["type"] == "ack":
                    if frame["data"].get("recovered") is False:
                        print("some history is gone", file=sys.stderr)
                    place = {"epoch": frame["data"]["epoch"], "offset": frame["data"]["offset"]}
                elif frame["type"] == "gap":
                    print("too slow: lost", frame["dropped"], file=sys.stderr)
                elif frame["type"] == "error":
                    sys.exit(frame["error"])
        except websockets.ConnectionClosed:
            continue


if __name__ == "__main__":
    try:
        asyncio.run(follow(*(sys.argv[1:] or ["ws://127.0.0.1:8765/ws"])))
    except KeyboardInterrupt:
        pass
