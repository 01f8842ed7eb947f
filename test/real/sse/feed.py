"""A feed of numbered events, served by sse-starlette: COUNT of them, RATE a second; who comes back gets OVERLAP again."""

import asyncio
import json
import sys
import time

import uvicorn
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.routing import Route

PORT, COUNT, RATE, OVERLAP = (int(word) for word in sys.argv[1:5])
STARTED = time.monotonic()


def event(number):
    data = json.dumps({"n": number, "meta": {"id": f"event-{number}"}, "text": "höher 橋 " * (number % 40)})
    # Now and then an event of several lines, and one of another type.
    if number % 10 == 0:
        data = data.replace(', "text"', ',\n"text"')
    return {"id": str(number), "event": "change", "data": data, "retry": 50}


async def events(request):
    after = int(request.headers.get("last-event-id", "0"))
    number = max(0, after - OVERLAP)
    while True:
        while number < min(COUNT, int((time.monotonic() - STARTED) * RATE)):
            number += 1
            yield event(number)
        yield {"comment": "nothing new"}
        await asyncio.sleep(0.05)


async def feed(request):
    return EventSourceResponse(events(request), ping=1)


uvicorn.run(Starlette(routes=[Route("/feed", feed)]), host="127.0.0.1", port=PORT, log_level="warning")
