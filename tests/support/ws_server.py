"""A second implementation of WebSocket (python3-websockets) as a server, for our client. Prints its port; ends when it is told "quit"."""
import asyncio
import http

import websockets


async def main():
    done = asyncio.get_running_loop().create_future()

    async def converse(ws):
        if ws.path != "/feed?after=7" or ws.request_headers.get("X-Node") != "n1":
            await ws.close(4400, "not as it was sent")
            return
        async for message in ws:
            if message == "quit":
                await ws.close(1001, "bye")
                done.set_result(None)
                return
            elif message == "fragments":
                await ws.send(["frag", "", "men", "ted"])
            elif message == "ping":
                await asyncio.wait_for(await ws.ping(b"x" * 125), 10)
                await ws.send("got it")
            elif message == "close":
                await ws.close(4002, "as you wish")
                return
            else:
                await ws.send(message)

    async def admit(_path, headers):
        if headers.get("Authorization") != "Bearer secret":
            return http.HTTPStatus.SERVICE_UNAVAILABLE, [("Retry-After", "7")], b"not now"
        return None

    async with websockets.serve(converse, "127.0.0.1", 0, process_request=admit, subprotocols=["feed.v1"], ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.wait_for(done, 100)


asyncio.run(main())
