"""What Python has for working on another process's objects, and for copying graphs.

    python_remote.py rpyc|manager ROUNDS
    python_remote.py list SIZE ROUNDS
    python_remote.py pickle OBJECTS ROUNDS

The first reads elements of a list of another process: by RPyC over a pair of Unix sockets, or by a proxy
of multiprocessing.Manager. `list` reads a list of SIZE by RPyC: element by element, and as a copy.
`pickle` dumps and loads a graph of about OBJECTS objects.
"""

import gc
import json
import multiprocessing
import os
import pickle
import socket
import sys
import time

ELEMENTS = 1000
CALLS = 1000
LETTER = b"x"


def print_figure(name, unit, samples):
    print(json.dumps({"figure": name, "unit": unit, "ours": samples, "beside": {}}))


def time_each(count, rounds, action):
    """Nanoseconds of an action for each of the things that it is done to, in each round."""

    def time_once():
        begun = time.perf_counter_ns()
        action()
        return (time.perf_counter_ns() - begun) / count

    return [time_once() for _ in range(rounds)]


def expect(holds):
    if not holds:
        sys.exit("the wrong elements")


def time_calls(remote, rounds):
    def read():
        for index in range(CALLS):
            expect(remote[index] == index)

    read()  # the first time more is done
    return time_each(CALLS, rounds, read)


def connect(size):
    """A connection to a process that has a list of so many integers: its `root.integers`."""
    import rpyc

    class Owner(rpyc.Service):
        exposed_integers = list(range(size))

    ours, theirs = socket.socketpair(socket.AF_UNIX)
    if os.fork() == 0:
        ours.close()
        stream = rpyc.SocketStream(theirs)
        rpyc.utils.factory.connect_stream(stream, Owner, {"allow_pickle": True}).serve_all()
        os._exit(0)
    theirs.close()
    return rpyc.utils.factory.connect_stream(rpyc.SocketStream(ours), config={"allow_pickle": True})


def rpyc_calls(rounds):
    connection = connect(ELEMENTS)
    print_figure("RPyC", "ns", time_calls(connection.root.integers, rounds))
    connection.close()
    os.wait()


def manager_calls(rounds):
    with multiprocessing.Manager() as manager:
        proxy = manager.list(range(ELEMENTS))
        print_figure("multiprocessing.Manager", "ns", time_calls(proxy, rounds))


def rpyc_list(size, rounds):
    connection = connect(size)
    from rpyc.utils.classic import obtain

    remote = connection.root.integers
    wanted = list(range(size))

    def read():
        expect([element for element in remote] == wanted)

    def copy():
        expect(obtain(remote) == wanted)

    print_figure("RPyC", "ns/element", time_each(size, rounds, read))
    print_figure("RPyC, obtain", "ns/element", time_each(size, rounds, copy))
    connection.close()
    os.wait()


def graph(objects):
    """The graph of remote_host.c, but for its conses: they are lists of two, and the outermost list is
    one list, since pickle recurses. Returns the graph, and how many objects it has."""
    shared = [1, None]
    top = []
    count = 2
    while count < objects:
        vector = [None] * 10
        for index in range(6):
            vector[index] = [count, vector]
        for index in range(6, 9):
            vector[index] = LETTER * 20
        vector[9] = shared
        top.append(vector)
        count += 10
    return top, count


def pickle_graph(objects, rounds):
    """Without a collector, which would look at all of it again and again while it grows."""
    gc.disable()
    top, count = graph(objects)
    samples = []
    for _ in range(rounds):
        begun = time.perf_counter_ns()
        copy = pickle.loads(pickle.dumps(top, pickle.HIGHEST_PROTOCOL))
        samples.append((time.perf_counter_ns() - begun) / count)
        expect(copy[-1][0][1] is copy[-1] and copy[-1][6] is not copy[-1][7])
        del copy
        gc.collect()
    print_figure("Python pickle", "ns/object", samples)


MODES = {"rpyc": rpyc_calls, "manager": manager_calls, "list": rpyc_list, "pickle": pickle_graph}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in MODES:
        sys.exit("usage: python_remote.py rpyc|manager ROUNDS | list SIZE ROUNDS | pickle OBJECTS ROUNDS")
    MODES[sys.argv[1]](*map(int, sys.argv[2:]))
