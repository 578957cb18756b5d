# podpath's prober for python 3.4 and later: speaks the protocol of package
# wire (probes/wire/wire.go) on its standard streams. Runs as: python3 -c SCRIPT.
#
# Each request has a thread; what is held has a queue and its thread reads it.
import sys

# python3 -c looks for modules in the current folder first, which is the application's.
sys.path[:] = [folder for folder in sys.path if folder]
import errno
import os
import queue
import signal
import socket
import threading
import time

MAX_DATA = 768
AT_ONCE = 32
LIFETIME = 600  # seconds; then whoever asked has long gone
PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./:_,="
ESCAPED = [chr(c) if c in PLAIN else "\\0%03o" % c for c in range(256)]
RESULTS = {
    errno.ECONNREFUSED: "refused",
    errno.ETIMEDOUT: "timeout",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.EHOSTUNREACH: "unreachable",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTDOWN: "unreachable",
    errno.ENETDOWN: "unreachable",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
}
NOT_HELD = b"nothing is held under this ID"

output = threading.Lock()


def say(line):
    """Writes a line with one write. When that fails nobody listens any more."""
    with output:
        try:
            os.write(1, (line + "\n").encode())
        except OSError:
            os._exit(1)


def escape(data):
    return "".join([ESCAPED[c] for c in data]) or "-"


def unescape(field):
    if field == b"-":
        return b""
    first, *rest = field.split(b"\\0")
    return first + b"".join([bytes([int(part[:3], 8)]) + part[3:] for part in rest])


class Request:
    def __init__(self, line):
        number, op, timeout, address, port, count, data = line.split(b" ")
        self.id, self.op = number.decode(), op.decode()
        self.timeout, self.port, self.count = int(timeout) / 1000.0, int(port), int(count)
        self.address, self.data = unescape(address), unescape(data)
        self.begin()

    def begin(self):
        self.began = time.monotonic()
        self.deadline = self.began + self.timeout
        self.connect = self.local = "-"

    def elapsed(self):
        return "%d" % ((time.monotonic() - self.began) * 1e6)

    def left(self):
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout()
        return left

    def answer(self, result, data=b""):
        while len(data) > MAX_DATA:
            say("%s part %s - %s %s" % (self.id, self.connect, self.local, escape(data[:MAX_DATA])))
            data = data[MAX_DATA:]
        say("%s %s %s %s %s %s" % (self.id, result, self.connect, self.elapsed(), self.local, escape(data)))

    def fail(self, error, data=b""):
        if isinstance(error, socket.timeout):
            self.answer("timeout", data)
        elif getattr(error, "errno", None) in RESULTS:
            self.answer(RESULTS[error.errno], data)
        else:
            self.answer("failed", str(error).encode()[:MAX_DATA])

    def reach(self, kind):
        """Connects."""
        address = self.address.decode()
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        try:
            sock.settimeout(self.left())
            sock.connect((address, self.port))
        except Exception:
            sock.close()
            raise
        if kind == socket.SOCK_STREAM:
            self.connect = self.elapsed()
        self.local = str(sock.getsockname()[1])
        return sock

    def converse(self, sock, once):
        """Sends, receives up to the end, the count, or once, and answers."""
        data = b""
        try:
            if self.data or self.op == "udp":
                sock.settimeout(self.left())
                sock.sendall(self.data)
            while len(data) < self.count:
                sock.settimeout(self.left())
                piece = sock.recv(min(self.count - len(data), 65536))
                data += piece
                if once or not piece:
                    break
        except OSError as error:
            self.fail(error, data)
        else:
            self.answer("ok", data)

    def tcp(self):
        with self.reach(socket.SOCK_STREAM) as sock:
            self.converse(sock, False)

    def udp(self):
        with self.reach(socket.SOCK_DGRAM) as sock:
            self.converse(sock, True)

    def file(self):
        # Without O_NONBLOCK a named pipe would have to be waited for.
        with open(os.open(self.address, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as file:
            data = b""
            while len(data) < self.count:
                piece = file.read(self.count - len(data))
                if not piece:
                    break
                data += piece
        self.answer("ok", data)

    def run(self):
        """Answers, whatever happens."""
        self.begin()
        try:
            {"tcp": self.tcp, "udp": self.udp, "file": self.file}[self.op]()
        except KeyError:
            self.answer("failed", ("python cannot " + self.op).encode())
        except Exception as error:
            self.fail(error)


def hold(request, requests):
    """Connects, and does what comes from the queue until None does."""
    sock = None
    try:
        request.begin()
        sock = request.reach(socket.SOCK_STREAM)
        request.answer("ok")
    except Exception as error:
        request.fail(error)
    for following in iter(requests.get, None):
        following.begin()
        if sock is None:
            following.answer("failed", NOT_HELD)
        elif following.op == "more":
            following.converse(sock, True)
        else:
            sock.close()
            following.answer("ok")
    if sock is not None:
        sock.close()


def main():
    signal.alarm(LIFETIME)
    say("podpath 1 python")
    slots = threading.Semaphore(AT_ONCE)
    held, threads, asked = {}, [], 0

    def start(target, *arguments):
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        threads.append(thread)

    def work(request):
        request.run()
        slots.release()

    for line in iter(sys.stdin.buffer.readline, b""):
        if not line.endswith(b"\n"):
            break
        asked += 1
        request = Request(line[:-1])
        if request.op == "hold":
            held[request.id] = queue.Queue()
            start(hold, request, held[request.id])
        elif request.op in ("more", "drop"):
            if request.id not in held:
                request.answer("failed", NOT_HELD)
                continue
            held[request.id].put(request)
            if request.op == "drop":
                held.pop(request.id).put(None)
        else:
            slots.acquire()
            start(work, request)
    for requests in held.values():
        requests.put(None)
    for thread in threads:
        thread.join()
    say("END %d" % asked)


main()
