"""Stands in for codeflash's service on this machine: plays recorded answers, or passes requests on and keeps the answers.

Started by the agent as `python -I -S replay_service.py`, in the network namespace of the run where there is one. Its order is
one line of JSON on standard input: {"mode": "replay"|"live", "recordings": FOLDER, "log": FILE, "key": KEY,
"ports": {"ai": 8000, "cf": 3001}, "upstream": {"ai": URL, "cf": URL}, "upstreamKey": KEY, "kept": FOLDER}. It says
{"ready": true} on standard output once both ports are open, {"failure": WORDS} when that can't be, logs each request as a
line of JSON, and ends when its standard input does, so that it never outlives the agent.

An answer is found by the function that the request is about and by the endpoint (for tests also by their index). A request
that no recording answers gets status 501 and stands in the log as `unknown`: the run it belongs to is not to be believed.
"""

import ast
import hmac
import http.client
import http.server
import json
import os
import re
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse

# How long a request waits for a later one with the same trace to say which function it is about, in seconds.
PATIENCE = 10
# The largest request that is read, and the most of one that is kept in the log, in bytes.
LARGEST_BODY = 64 << 20
KEPT_BODY = 4096
# How long the real service may take for an answer, in seconds.
UPSTREAM_SECONDS = 300

# What is answered alike for all functions, since it says nothing of the code: (status, content type, body).
FIXED = {
    ("GET", "/cfapi/cli-get-user"): (200, "text/plain", b"replay"),
    ("POST", "/cfapi/mark-as-success"): (200, "application/json", b"{}"),
    ("POST", "/cfapi/send-completion-email"): (200, "application/json", b"{}"),
}

BLOCK = re.compile(r"```python(?::[^\n]*)?\n(.*?)```", re.DOTALL)


class Recordings:
    """Answers by function and request; those to equal requests of one run (one trace) are played in their order, the last
    one again and again, so that every run gets the same."""

    def __init__(self, folder):
        self.answers = {}
        self.played = {}
        self.functions = []
        for name in sorted(os.listdir(folder)) if folder else []:
            if not name.endswith(".json"):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                content = json.load(file)
            function = content["function"]
            self.functions.append(function)
            for answer in content["answers"]:
                key = (function, answer["endpoint"], answer.get("test_index"))
                if not isinstance(answer.get("status", 200), int) or not ("body" in answer or "preferred" in answer):
                    raise ValueError("{}: an answer to {} has no status or body that can be sent".format(name, key[1]))
                self.answers.setdefault(key, []).append(answer)

    def next(self, function, endpoint, index, trace):
        answers = self.answers.get((function, endpoint, index))
        if not answers:
            return None
        key = (trace, function, endpoint, index)
        place = self.played.get(key, 0)
        self.played[key] = place + 1
        return answers[min(place, len(answers) - 1)]


class Service:
    """What both ports know together."""

    def __init__(self, order):
        self.order = order
        self.live = order["mode"] == "live"
        self.recordings = Recordings(None if self.live else order["recordings"])
        self.lock = threading.Condition()
        # Without a buffer a line is one write: whoever reads the log meanwhile finds whole lines.
        self.log = open(order["log"], "ab", buffering=0)
        # By trace and by candidate: the function that a request is about.
        self.traces = {}
        # By function: the trace of its latest run, for requests that carry none.
        self.latest = {}
        self.candidates = {}
        # What the real service said, in order, by trace; named by function once that is known.
        self.kept = []

    def write(self, entry):
        with self.lock:
            self.log.write((json.dumps(entry) + "\n").encode())

    # Which function

    def learn(self, body):
        """A request for tests names its function in full: from then on its trace does too."""
        about = body.get("function_to_optimize") if isinstance(body, dict) else None
        if not isinstance(about, dict) or "module_path" not in body:
            return
        qualified = body.get("qualified_name")
        if not qualified:
            parents = [parent.get("name", "") for parent in about.get("parents") or []]
            qualified = ".".join(parents + [about.get("function_name", "")])
        function = f"{body['module_path']}:{qualified}"
        with self.lock:
            self.traces[trace_of(body)] = function
            self.latest[function] = trace_of(body)
            self.lock.notify_all()

    def function_of(self, body):
        entries = [entry for entry in (body if isinstance(body, list) else [body]) if isinstance(entry, dict)]
        if not entries:
            return None
        for entry in entries:
            with self.lock:
                known = self.traces.get(trace_of(entry)) or self.candidates.get(entry.get("optimization_id"))
            if known:
                return known
        named = self.functions_in(entries[0].get("source_code") or "")
        if len(named) == 1:
            return named[0]
        trace = trace_of(entries[0])
        if not trace:
            return None
        with self.lock:
            self.lock.wait_for(lambda: trace in self.traces, PATIENCE)
            return self.traces.get(trace)

    def functions_in(self, source):
        """The recorded functions that a request's source defines."""
        defined = set()
        for block in BLOCK.findall(source) or [source]:
            try:
                tree = ast.parse(block)
            except SyntaxError:
                continue
            for node in tree.body:
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    defined.add(node.name)
                elif isinstance(node, ast.ClassDef):
                    methods = (child for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)))
                    defined.update(f"{node.name}.{method.name}" for method in methods)
        return [name for name in self.recordings.functions if name.partition(":")[2] in defined]

    # Answers

    def replay(self, method, endpoint, body, entry):
        fixed = FIXED.get((method, endpoint))
        if fixed:
            return fixed
        function = entry["function"]
        index = body.get("test_index") if isinstance(body, dict) and endpoint == "/ai/testgen" else None
        with self.lock:
            trace = trace_of(body) or self.latest.get(function, "")
            answer = self.recordings.next(function, endpoint, index, trace)
        if answer is None:
            entry["unknown"] = True
            about = f"about {function}" if function else "about no function that is recorded"
            words = f"no recorded answer to {method} {endpoint} {about}"
            return 501, "application/json", json.dumps({"error": words}).encode()
        if "preferred" in answer:
            asked = body.get("optimization_ids") or [] if isinstance(body, dict) else []
            order = {each: place for place, each in enumerate(answer["preferred"])}
            ranking = sorted(range(len(asked)), key=lambda place: order.get(asked[place], len(order) + place))
            content = {"ranking": ranking, "explanation": "in the recorded order"}
        else:
            content = answer["body"]
        entry["candidates"] = self.note_candidates(function, content)
        return answer.get("status", 200), "application/json", json.dumps(content).encode()

    def note_candidates(self, function, content):
        ids = []
        for name in ("optimizations", "refinements"):
            for each in (content.get(name) if isinstance(content, dict) else None) or []:
                ids.append(each["optimization_id"])
        with self.lock:
            for each in ids:
                self.candidates[each] = function
        return ids

    def forward(self, method, target, endpoint, raw, body, entry, server):
        base = urllib.parse.urlsplit(self.order["upstream"][server])
        secure = base.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        extra = {"context": ssl.create_default_context()} if secure else {}
        connection = kind(base.hostname, base.port, timeout=UPSTREAM_SECONDS, **extra)
        headers = {"Authorization": "Bearer " + self.order["upstreamKey"], "Content-Type": "application/json"}
        try:
            connection.request(method, base.path.rstrip("/") + target, body=raw or None, headers=headers)
            response = connection.getresponse()
            answer = response.read(LARGEST_BODY)
        except (OSError, http.client.HTTPException) as error:
            entry["upstreamFailure"] = self.without_key(f"{type(error).__name__}: {error}")
            return 502, "application/json", json.dumps({"error": entry["upstreamFailure"]}).encode()
        finally:
            connection.close()
        content = parsed(answer)
        entry["candidates"] = self.note_candidates(entry["function"], content)
        if response.status >= 500 or response.status in (402, 429):
            entry["upstreamFailure"] = f"it answers {endpoint} with status {response.status}"
        elif server == "ai":
            with self.lock:
                self.kept.append((trace_of(body), entry["function"], endpoint, body, response.status, content))
        return response.status, response.headers.get_content_type(), answer

    def without_key(self, text):
        key = self.order.get("upstreamKey")
        return text.replace(key, "(the key)") if key else text

    def keep(self, folder):
        """Writes what the real service said as recordings, one file a function."""
        files = {}
        for trace, function, endpoint, body, status, content in self.kept:
            function = function or self.traces.get(trace)
            if not function:
                continue
            # An answer that is no JSON is one that the client does not look at.
            content = {} if content is None else content
            answer = {"endpoint": endpoint}
            if endpoint == "/ai/testgen":
                answer["test_index"] = body.get("test_index")
            if status != 200:
                answer["status"] = status
            if endpoint == "/ai/rank" and status == 200 and isinstance(content, dict):
                ids = body.get("optimization_ids") or []
                answer["preferred"] = [
                    ids[place] for place in content.get("ranking") or [] if isinstance(place, int) and place < len(ids)
                ]
            else:
                answer["body"] = content
            files.setdefault(function, []).append(answer)
        for function, answers in files.items():
            content = {"schema": 1, "function": function, "recorded": "from the live service", "answers": answers}
            path = os.path.join(folder, function.replace(":", ".") + ".json")
            with open(path + ".part", "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2)
                file.write("\n")
            os.replace(path + ".part", path)


def trace_of(body):
    # The last four places of a trace say which arm of an experiment it is.
    return (body.get("trace_id") or "")[:32] if isinstance(body, dict) else ""


def parsed(raw):
    try:
        return json.loads(raw)
    except ValueError:
        return None


def handler(service, server):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self):
            self.answer("GET", b"")

        def do_POST(self):
            length = self.headers.get("Content-Length", "0")
            if not length.isdigit() or int(length) > LARGEST_BODY:
                self.close_connection = True
                return self.send(413, "application/json", b'{"error": "the request is too large"}')
            self.answer("POST", self.rfile.read(int(length)))

        def answer(self, method, raw):
            began = time.monotonic()
            endpoint = self.path.partition("?")[0]
            body = parsed(raw) if raw else {}
            entry = {"start": began, "server": server, "method": method, "endpoint": endpoint, "function": None}
            expected = "Bearer " + service.order["key"]
            if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), expected.encode()):
                entry["refused"] = True
                status, kind, answer = 403, "application/json", b'{"error": "this key is not known"}'
            else:
                try:
                    service.learn(body)
                    entry["function"] = service.function_of(body)
                    if service.live:
                        status, kind, answer = service.forward(method, self.path, endpoint, raw, body, entry, server)
                    else:
                        status, kind, answer = service.replay(method, endpoint, body, entry)
                except Exception as error:
                    entry["failure"] = service.without_key(f"{type(error).__name__}: {error}")
                    status, kind, answer = 500, "application/json", b'{"error": "the replay service failed"}'
            entry["status"] = status
            entry["trace"] = trace_of(body)
            if endpoint in ("/ai/log_features", "/cfapi/mark-as-success"):
                entry["body"] = body
            elif entry.get("unknown") or entry.get("failure"):
                entry["request"] = raw[:KEPT_BODY].decode("utf-8", "replace")
            entry["end"] = time.monotonic()
            # The log comes first: whoever has the answer can be sure that the request stands there.
            service.write(entry)
            self.send(status, kind, answer)

        def send(self, status, kind, answer):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    return Handler


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    # Connections of the run before linger on the port for a while. One that listens still keeps it for itself.
    allow_reuse_address = True

    def server_bind(self):
        # HTTPServer asks the resolver for the host's name here, which may take long where there is no network.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        # A client that goes away in the middle of an answer was stopped by the run's time limit.
        pass


def say(**words):
    print(json.dumps(words), flush=True)


def main():
    order = json.loads(sys.stdin.readline())
    try:
        service = Service(order)
        servers = [
            Server(("127.0.0.1", order["ports"][name]), handler(service, name)) for name in ("ai", "cf")
        ]
    except OSError as error:
        return say(failure=str(error))
    except (ValueError, KeyError, TypeError) as error:
        return say(failure=f"a recording can't be read: {type(error).__name__}: {error}")
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    say(ready=True)
    sys.stdin.read()
    for server in servers:
        server.shutdown()
    if order.get("kept"):
        service.keep(order["kept"])
    say(done=True)


if __name__ == "__main__":
    main()
