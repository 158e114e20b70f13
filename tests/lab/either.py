#!/usr/bin/env python3
"""Takes connections and passes each on to one of several servers, in turn, whichever answers: what a virtual address does.

either.py LISTEN PORT PORT…: all on 127.0.0.1.
"""

import asyncio
import itertools
import sys

turn = itertools.count()


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, OSError):
        pass
    finally:
        # Half of a connection of which the other half is gone serves nobody.
        writer.close()


async def take(reader, writer):
    ports = sys.argv[2:]
    first = next(turn)
    for at in range(len(ports)):
        try:
            there = await asyncio.open_connection("127.0.0.1", int(ports[(first + at) % len(ports)]))
        except OSError:
            continue
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))
        return
    writer.close()


async def main():
    server = await asyncio.start_server(take, "127.0.0.1", int(sys.argv[1]), backlog=1024)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
