"""An implementation that does, for each question, what the plaintext of the question says."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

LIMIT = 1 << 20


def print_raw(text: str) -> None:
    """Print a line as it is."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def sleep_with_child() -> None:
    """Hang, and have a child that hangs too and holds the output open."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with Path(sys.argv[1]).open("a", encoding="ascii") as file:
        file.write(f"{child.pid}\n")
    time.sleep(600)


for line in sys.stdin:
    question = json.loads(line)
    number = question["id"]
    right = json.dumps({"id": number, "outputs": {"echo": "right"}})
    match question["inputs"]["do"]:
        case "right":
            print_raw(right)
        case "hang":
            sleep_with_child()
        case "die":
            sys.stderr.write("\x1b[31mthat was too much\n")
            sys.exit(3)
        case "abort":
            os.abort()
        case "real-time signal":
            os.kill(os.getpid(), 40)
        case "rubbish":
            print_raw("\x1b[2J\x00rubbish \xff")
        case "endless line":
            while True:
                sys.stdout.write("x" * 65536)
        case "long line":
            print_raw(json.dumps({"id": number, "outputs": {"echo": "x" * LIMIT}}))
        case "nested":
            print_raw("[" * 100_000)
        case "huge integer":
            print_raw('{"id": %s}' % ("9" * 10_000))
        case "twice":
            print_raw(right)
            print_raw(right)
        case "late":
            time.sleep(1.5)
            print_raw(right)
        case "close":
            sys.stdout.close()
            os.close(1)
            time.sleep(600)
        case "half a line":
            sys.stdout.write(right)
            sys.stdout.flush()
            os._exit(0)
        case "complain":
            sys.stderr.write("x" * (1 << 22))
            sys.stderr.flush()
            print_raw(right)
        case "deaf":
            print_raw(right)
            time.sleep(600)
        case text:
            print_raw(text.replace("ID", str(number)))
