"""No model at all: uvicorn reads the body and answers ten numbers; the parser is an argument."""

import sys

import uvicorn

BODY = b'{"predictions":[[0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1]]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]


async def app(scope, receive, send):
    """Answer a request."""
    if scope["type"] == "http":
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    port, http, loop = sys.argv[1:]
    quiet = {"log_level": "error", "access_log": False, "lifespan": "off"}
    uvicorn.run(app, host="127.0.0.1", port=int(port), http=http, loop=loop, **quiet)
