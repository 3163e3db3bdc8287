"""A second implementation of WebSocket (python3-websockets) talks to a server of ours that echoes: ws_client.py PORT. Exits 1 on a difference."""
import asyncio
import sys

import websockets


async def main():
    url = f"ws://127.0.0.1:{sys.argv[1]}/ws"
    async with websockets.connect(url, subprotocols=["other", "boxoffice.v1"], ping_interval=None) as ws:
        assert ws.subprotocol == "boxoffice.v1", ws.subprotocol
        assert ws.extensions == [], ws.extensions  # it offers permessage-deflate
        for text in ("", "a", "x" * 125, "x" * 126, "x" * 1000, "ä€😀", "\0"):
            await ws.send(text)
            assert await ws.recv() == text
            await ws.send(text.encode()[:1000])
            assert await ws.recv() == text.encode()[:1000]
        await ws.send(["frag", "men", "", "ted"])
        assert await ws.recv() == "fragmented"
        await asyncio.wait_for(await ws.ping(b"are you there"), 10)
        await ws.send("close")
        try:
            await ws.recv()
            raise AssertionError("not closed")
        except websockets.ConnectionClosed as closed:
            assert (closed.rcvd.code, closed.rcvd.reason) == (4000, "as you wish"), closed
    async with websockets.connect(url) as ws:
        await ws.close(4001, "done")
        assert ws.close_code == 4001, ws.close_code
    async with websockets.connect(url) as ws:
        await ws.send("x" * 1001)
        try:
            await ws.recv()
            raise AssertionError("not closed")
        except websockets.ConnectionClosed as closed:
            assert closed.rcvd.code == 1009, closed
    print("the same")


asyncio.run(main())
