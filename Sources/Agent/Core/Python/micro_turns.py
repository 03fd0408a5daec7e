"""Starts the workers of a block of layer 2 and gives them their turns. Embedded in the agent.

Standard library only, Python 3.9 and later. The order comes as one JSON object on standard input:

    {"limit": S, "workers": [{"words": [...], "environment": {...}, "folder": ..., "order": {...}}, ...]}

A worker gets its order as the first line of its standard input. One that says {"turn": true} pauses until the next byte comes there.
First all workers set up, as many at a time as there are processors: nothing is timed by then. Then they go on one at a time, in the order
of their places, from one pause to the next, until all have ended. `limit` is for how long a worker may be at work in all, in seconds.

The answer is one JSON object a line on standard output:

    {"place": P, "answer": {...}}                                    a line of the worker's
    {"place": P, "status": N, "words": "its last ones"}              its end: below zero a signal's number
    {"place": P, "late": true}                                       it passed its limit: with this, all of them are killed
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time

# What of a worker's standard error is kept, in bytes.
LAST_WORDS = 64 << 10
# A worker that has ended is seen by its closed output; one whose output somebody else keeps open, after so long; in seconds.
LOOK_EVERY = 1


class Worker:
    def __init__(self, place, plan):
        self.place = place
        self.plan = plan
        self.process = None
        self.pending = b""
        self.words = b""
        # When it went to work; None while it pauses, and when it has ended.
        self.since = None
        self.spent = 0.0
        self.ended = False

    def start(self):
        self.since = time.monotonic()
        self.process = subprocess.Popen(
            self.plan["words"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.plan["environment"], cwd=self.plan["folder"])
        for stream in (self.process.stdout, self.process.stderr):
            os.set_blocking(stream.fileno(), False)
        self.tell(json.dumps(self.plan["order"]).encode() + b"\n")

    def go_on(self):
        self.since = time.monotonic()
        self.tell(b"\n")

    def tell(self, what):
        try:
            self.process.stdin.write(what)
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # It has ended, which its output tells.

    def pause(self):
        self.spent += time.monotonic() - self.since
        self.since = None

    def left(self, limit):
        return limit - self.spent - (time.monotonic() - self.since)


class Turns:
    def __init__(self, order):
        self.limit = order["limit"]
        self.crew = [Worker(place, plan) for place, plan in enumerate(order["workers"])]
        self.streams = selectors.DefaultSelector()

    def run(self):
        processors = max(1, len(os.sched_getaffinity(0)))
        fresh = list(self.crew)
        while fresh or self.at_work():
            # In the order of their places, whichever side is on which: a place must not tell what stands on it.
            while fresh and len(self.at_work()) < processors:
                self.start(fresh.pop(0))
            self.listen()
        while not all(worker.ended for worker in self.crew):
            for worker in self.crew:
                if not worker.ended:
                    worker.go_on()
                while worker.since is not None:
                    self.listen()

    def at_work(self):
        return [worker for worker in self.crew if worker.since is not None]

    def start(self, worker):
        try:
            worker.start()
        except OSError as error:
            worker.ended = True
            worker.since = None
            say(place=worker.place, status=127, words=str(error))
            return
        for stream in (worker.process.stdout, worker.process.stderr):
            self.streams.register(stream, selectors.EVENT_READ, worker)

    def listen(self):
        """Takes in what the workers say, for as long as there is time for those at work."""
        left = min((worker.left(self.limit) for worker in self.at_work()), default=0)
        seen = self.streams.select(max(0, min(left, LOOK_EVERY)))
        for key, _ in seen:
            # One that ended on the way took its other stream along.
            if key.fileobj in self.streams.get_map():
                self.take(key.data, key.fileobj)
        for worker in self.at_work():
            if not seen and worker.process.poll() is not None:
                self.end(worker)
            elif worker.left(self.limit) < 0:
                say(place=worker.place, late=True)
                os.killpg(0, signal.SIGKILL)

    def take(self, worker, stream):
        """Whether there was something to take."""
        try:
            data = os.read(stream.fileno(), 1 << 16)
        except BlockingIOError:
            return False
        if stream is worker.process.stderr:
            worker.words = (worker.words + data)[-LAST_WORDS:]
        else:
            *lines, worker.pending = (worker.pending + data).split(b"\n")
            for line in lines:
                self.pass_on(worker, line)
        if not data:
            self.streams.unregister(stream)
            if stream is worker.process.stdout and not worker.ended:
                self.end(worker)
        return bool(data)

    def pass_on(self, worker, line):
        try:
            answer = json.loads(line)
        except ValueError:
            return  # Of a target that wrote to a descriptor it does not own.
        if not isinstance(answer, dict):
            return
        say(place=worker.place, answer=answer)
        if "turn" in answer and worker.since is not None:
            worker.pause()

    def end(self, worker):
        try:
            status = worker.process.wait(max(0, worker.left(self.limit)) if worker.since is not None else 1)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            status = worker.process.wait()
        worker.ended = True
        for stream in (worker.process.stderr, worker.process.stdout):
            while stream in self.streams.get_map() and self.take(worker, stream):
                pass
            if stream in self.streams.get_map():
                self.streams.unregister(stream)
        worker.since = None
        say(place=worker.place, status=status, words=worker.words.decode("utf-8", "replace"))


def say(**fields):
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


Turns(json.load(sys.stdin)).run()
