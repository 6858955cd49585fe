"""The library, as an implementation that is asked line by line."""

import json
import sys

from kmscore_vectors.adapter.responder import Responder

responder = Responder()
for line in sys.stdin:
    question = json.loads(line)
    answer = responder.answer(question["operation"], question["inputs"])
    result = answer if "error" in answer else {"outputs": answer}
    print(json.dumps({"id": question["id"], **result}), flush=True)
